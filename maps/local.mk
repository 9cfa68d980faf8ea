# Maps and their tables: one folder, every *.csv is read; those named table-NAME.csv are tables. maps/README.md explains rows.
mapsdir = $(pkgdatadir)/maps
dist_maps_DATA = \
	%D%/csv-invoice.csv \
	%D%/csv-order.csv \
	%D%/table-charge.csv \
	%D%/table-order-type.csv \
	%D%/table-party-scheme.csv \
	%D%/table-purpose.csv \
	%D%/table-unit.csv \
	%D%/table-unit-factor.csv \
	%D%/x12-004010-850-to-order.csv
mapscanonicaldir = $(mapsdir)/canonical
dist_mapscanonical_DATA = %D%/canonical/order-1.0.json
EXTRA_DIST += %D%/README.md
EXTRA_DIST += %D%/samples/csv-order %D%/samples/csv-invoice
