dist_man_MANS += %D%/vand.8 %D%/vanctl.1 %D%/vand.yaml.5
EXTRA_DIST += %D%/profile-reference.md %D%/edi-agreements.md %D%/architecture.md %D%/guide-partner.md %D%/guide-onboarding.md %D%/guide-map-author.md %D%/canonical-fields.md %D%/tutorial-map.md %D%/guide-operator.md \
	%D%/guide-auditor.md %D%/edi-forms.md %D%/map-expressions.md %D%/ubl.md %D%/flat-documents.md %D%/edi-dictionaries.md %D%/edi-guides.md %D%/edi-conformance.md %D%/x12.md %D%/edifact.md %D%/performance.md %D%/decisions
