# Dictionaries: one folder, every *.dict is read. The format is in doc/dictionary-format.md.
dictdir = $(pkgdatadir)/dict
dist_dict_DATA = \
	%D%/edifact-D01B-APERAK.dict \
	%D%/edifact-D01B-DELFOR.dict \
	%D%/edifact-D01B-DELJIT.dict \
	%D%/edifact-D01B-DESADV.dict \
	%D%/edifact-D01B-IFTMIN.dict \
	%D%/edifact-D01B-IFTSTA.dict \
	%D%/edifact-D01B-INVOIC.dict \
	%D%/edifact-D01B-INVRPT.dict \
	%D%/edifact-D01B-ORDCHG.dict \
	%D%/edifact-D01B-ORDERS.dict \
	%D%/edifact-D01B-ORDRSP.dict \
	%D%/edifact-D01B-PRICAT.dict \
	%D%/edifact-D01B-RECADV.dict \
	%D%/edifact-D01B-REMADV.dict \
	%D%/edifact-D01B-SLSRPT.dict \
	%D%/edifact-D01B.dict \
	%D%/edifact-D96A-APERAK.dict \
	%D%/edifact-D96A-DELFOR.dict \
	%D%/edifact-D96A-DELJIT.dict \
	%D%/edifact-D96A-DESADV.dict \
	%D%/edifact-D96A-IFTMIN.dict \
	%D%/edifact-D96A-IFTSTA.dict \
	%D%/edifact-D96A-INVOIC.dict \
	%D%/edifact-D96A-INVRPT.dict \
	%D%/edifact-D96A-ORDCHG.dict \
	%D%/edifact-D96A-ORDERS.dict \
	%D%/edifact-D96A-ORDRSP.dict \
	%D%/edifact-D96A-PRICAT.dict \
	%D%/edifact-D96A-RECADV.dict \
	%D%/edifact-D96A-REMADV.dict \
	%D%/edifact-D96A-SLSRPT.dict \
	%D%/edifact-D96A.dict \
	%D%/edifact-codes.dict \
	%D%/edifact-envelope.dict \
	%D%/edifact-service.dict \
	%D%/x12-004010-850.dict \
	%D%/x12-004010-997.dict \
	%D%/x12-004010.dict \
	%D%/x12-005010-850.dict \
	%D%/x12-005010-997.dict \
	%D%/x12-005010-999.dict \
	%D%/x12-005010.dict \
	%D%/x12-codes.dict \
	%D%/x12-envelope.dict
EXTRA_DIST += partners/samples/850.edi
EXTRA_DIST += doc/dictionary-format.md
