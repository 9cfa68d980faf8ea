# Checks of the source itself; they print TAP and are run by `make check`.
TESTS += %D%/check-includes %D%/check-style
LOG_COMPILER = $(top_srcdir)/%D%/run-unit
EXTRA_DIST += %D%/check-includes %D%/check-style %D%/style-exceptions %D%/run-unit %D%/demo.sh %D%/lib.sh
