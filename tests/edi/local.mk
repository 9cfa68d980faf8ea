# Samples of messages, the mistakes that can be made in them, and the collected files.
EDI_SAMPLE_TESTS = %D%/x12_samples.sh %D%/edifact_samples.sh %D%/import_unece.sh %D%/corpus.sh %D%/corpus_edifact.sh \
	%D%/validate_all.sh
TESTS += $(EDI_SAMPLE_TESTS)
EXTRA_DIST += $(EDI_SAMPLE_TESTS) %D%/dictionary.py %D%/samples.py %D%/x12_samples.py %D%/x12 %D%/edifact_samples.py %D%/edifact \
	%D%/import_unece.py \
	%D%/corpus.py %D%/corpus-x12.txt %D%/corpus_edifact.py %D%/corpus-edifact.txt \
	%D%/validate_all.py
