TESTS += %D%/test_vanctl.sh
EXTRA_DIST += %D%/test_vanctl.sh
