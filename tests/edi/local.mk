# Samples of messages and the mistakes that can be made in them.
EDI_SAMPLE_TESTS = %D%/x12_samples.sh %D%/edifact_samples.sh
TESTS += $(EDI_SAMPLE_TESTS)
EXTRA_DIST += $(EDI_SAMPLE_TESTS) %D%/dictionary.py %D%/x12_samples.py %D%/x12 %D%/edifact_samples.py %D%/edifact
