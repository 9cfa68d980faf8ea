# Checks of the source itself; they print TAP and are run by `make check`.
TESTS += %D%/check-includes %D%/check-style
EXTRA_DIST += %D%/check-includes %D%/check-style %D%/style-exceptions %D%/demo.sh %D%/lib.sh
