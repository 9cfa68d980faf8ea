# Partner templates, for `vanctl partner new`, and sample profiles.
templatesdir = $(pkgdatadir)/templates
dist_templates_DATA = \
	%D%/as2.yaml \
	%D%/as2-receive.yaml \
	%D%/orders-as-json.yaml \
	%D%/sftp.yaml \
	%D%/sftp-csv.yaml
partnersdir = $(docdir)/partners
dist_partners_DATA = \
	partners/README.md \
	partners/acme.yaml \
	partners/agreements.yaml \
	partners/hub.yaml \
	partners/volt.yaml
