# Maps and their tables: one folder, every *.csv is read; those named table-NAME.csv are tables. maps/README.md explains rows.
mapsdir = $(pkgdatadir)/maps
dist_maps_DATA = \
	%D%/csv-invoice.csv \
	%D%/csv-order.csv \
	%D%/edifact-desadv-despatch-advice.csv \
	%D%/edifact-invoic-credit-note.csv \
	%D%/edifact-invoic-invoice.csv \
	%D%/edifact-invrpt-inventory-report.csv \
	%D%/edifact-orders-order.csv \
	%D%/edifact-ordrsp-order-response.csv \
	%D%/edifact-remadv-remittance-advice.csv \
	%D%/table-allowance-reason.csv \
	%D%/table-bank-edifact.csv \
	%D%/table-bank.csv \
	%D%/table-billed.csv \
	%D%/table-charge.csv \
	%D%/table-contact.csv \
	%D%/table-country.csv \
	%D%/table-invoice-type.csv \
	%D%/table-line-change.csv \
	%D%/table-line-status.csv \
	%D%/table-marks.csv \
	%D%/table-order-type.csv \
	%D%/table-package-edifact.csv \
	%D%/table-package.csv \
	%D%/table-party-agency.csv \
	%D%/table-party-role.csv \
	%D%/table-party-scheme.csv \
	%D%/table-payment-means.csv \
	%D%/table-period-unit.csv \
	%D%/table-price-basis.csv %D%/table-price-type.csv \
	%D%/table-purpose.csv \
	%D%/table-reference.csv \
	%D%/table-report-type.csv \
	%D%/table-response.csv \
	%D%/table-settlement.csv \
	%D%/table-sold.csv \
	%D%/table-stock.csv \
	%D%/table-tax-exempt.csv \
	%D%/table-tax-type.csv \
	%D%/table-terms-from.csv \
	%D%/table-terms.csv \
	%D%/table-transport-mode-edifact.csv \
	%D%/table-transport-mode.csv \
	%D%/table-unit-edifact.csv \
	%D%/table-unit-factor.csv \
	%D%/table-unit.csv \
	%D%/table-weight.csv \
	%D%/x12-810-credit-note.csv \
	%D%/x12-810-invoice.csv \
	%D%/x12-820-remittance-advice.csv \
	%D%/x12-846-inventory-report.csv \
	%D%/x12-850-order.csv \
	%D%/x12-855-order-response.csv \
	%D%/x12-856-despatch-advice.csv \
	%D%/x12-860-order-change.csv \
	%D%/x12-861-receiving-advice.csv \
	%D%/x12-867-sales-report.csv \
	%D%/x12-940-order.csv \
	%D%/x12-945-despatch-advice.csv
mapscanonicaldir = $(mapsdir)/canonical
dist_mapscanonical_DATA = \
	%D%/canonical/application-advice-1.0.json \
	%D%/canonical/common-1.0.json \
	%D%/canonical/credit-note-1.0.json \
	%D%/canonical/despatch-advice-1.0.json \
	%D%/canonical/forecast-1.0.json \
	%D%/canonical/inventory-report-1.0.json \
	%D%/canonical/invoice-1.0.json \
	%D%/canonical/order-1.0.json \
	%D%/canonical/order-change-1.0.json \
	%D%/canonical/order-response-1.0.json \
	%D%/canonical/price-catalogue-1.0.json \
	%D%/canonical/receiving-advice-1.0.json \
	%D%/canonical/remittance-advice-1.0.json \
	%D%/canonical/sales-report-1.0.json
EXTRA_DIST += %D%/README.md %D%/samples
