# Fuzz target of src/edi and src/map, as a test by replay of its corpus.
check_PROGRAMS += %D%/fuzz_edi
TESTS += %D%/fuzz_edi
%C%_fuzz_edi_SOURCES = %D%/fuzz_edi.c %D%/replay.c
%C%_fuzz_edi_LDADD = $(LIB_MAP)
EXTRA_DIST += %D%/corpus/edi
