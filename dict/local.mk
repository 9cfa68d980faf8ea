# Dictionaries: one folder, every *.dict is read. The format is in doc/dictionary-format.md.
dictdir = $(pkgdatadir)/dict
dist_dict_DATA = \
	%D%/edifact-D96A-ORDERS.dict \
	%D%/edifact-D96A.dict \
	%D%/edifact-service.dict \
	%D%/x12-004010-850.dict \
	%D%/x12-004010-997.dict \
	%D%/x12-004010.dict \
	%D%/x12-005010-850.dict \
	%D%/x12-005010-997.dict \
	%D%/x12-005010-999.dict \
	%D%/x12-005010.dict
EXTRA_DIST += partners/samples/850.edi
EXTRA_DIST += doc/dictionary-format.md
