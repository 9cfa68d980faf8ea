# Fuzz targets of src/mime, src/cms and src/as2, as tests by replay of their corpora. With libFuzzer: build with clang and
# -fsanitize=fuzzer,address,undefined without replay.c; as2_replay with VAN_FUZZ_SEEDS leaves seeds to start from.
AS2_FUZZERS = %D%/fuzz_as2 %D%/fuzz_cms %D%/fuzz_header %D%/fuzz_mdn %D%/fuzz_mime
check_PROGRAMS += $(AS2_FUZZERS)
TESTS += $(AS2_FUZZERS)
AS2_FUZZ_LIBS = $(LIB_AS2) $(CRYPTO_LIBS) $(ZLIB_LIBS)
%C%_fuzz_as2_SOURCES = %D%/fuzz_as2.c %D%/replay.c
%C%_fuzz_as2_LDADD = $(AS2_FUZZ_LIBS)
%C%_fuzz_cms_SOURCES = %D%/fuzz_cms.c %D%/replay.c
%C%_fuzz_cms_LDADD = $(AS2_FUZZ_LIBS)
%C%_fuzz_header_SOURCES = %D%/fuzz_header.c %D%/replay.c
%C%_fuzz_header_LDADD = $(AS2_FUZZ_LIBS)
%C%_fuzz_mdn_SOURCES = %D%/fuzz_mdn.c %D%/replay.c
%C%_fuzz_mdn_LDADD = $(AS2_FUZZ_LIBS)
%C%_fuzz_mime_SOURCES = %D%/fuzz_mime.c %D%/replay.c
%C%_fuzz_mime_LDADD = $(AS2_FUZZ_LIBS)
EXTRA_DIST += %D%/corpus/as2 %D%/corpus/cms %D%/corpus/header %D%/corpus/mdn %D%/corpus/mime
