# MIME, CMS and AS2. The peer is the openssl command.
AS2_TESTS = %D%/as2_cms %D%/as2_mdn %D%/as2_message %D%/as2_mime %D%/as2_openssl %D%/as2_oracle %D%/as2_package %D%/as2_replay %D%/as2_torture
check_PROGRAMS += $(AS2_TESTS)
TESTS += $(AS2_TESTS)
AS2_TEST_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(CRYPTO_CFLAGS) $(ZLIB_CFLAGS) -I$(top_srcdir)/tests/unit
AS2_TEST_LIBS = $(LIB_AS2) $(CRYPTO_LIBS) $(ZLIB_LIBS) $(CMOCKA_LIBS)
%C%_as2_cms_SOURCES = %D%/as2_cms.c %D%/as2_peer.c %D%/as2_peer.h
%C%_as2_cms_CPPFLAGS = $(AS2_TEST_CPPFLAGS)
%C%_as2_cms_LDADD = $(AS2_TEST_LIBS)
%C%_as2_mdn_SOURCES = %D%/as2_mdn.c %D%/as2_peer.c %D%/as2_peer.h
%C%_as2_mdn_CPPFLAGS = $(AS2_TEST_CPPFLAGS)
%C%_as2_mdn_LDADD = $(AS2_TEST_LIBS)
%C%_as2_message_SOURCES = %D%/as2_message.c %D%/as2_peer.c %D%/as2_peer.h
%C%_as2_message_CPPFLAGS = $(AS2_TEST_CPPFLAGS)
%C%_as2_message_LDADD = $(AS2_TEST_LIBS)
%C%_as2_mime_SOURCES = %D%/as2_mime.c
%C%_as2_mime_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
%C%_as2_mime_LDADD = $(LIB_MIME) $(CMOCKA_LIBS)
%C%_as2_openssl_SOURCES = %D%/as2_openssl.c %D%/as2_peer.c %D%/as2_peer.h
%C%_as2_openssl_CPPFLAGS = $(AS2_TEST_CPPFLAGS)
%C%_as2_openssl_LDADD = $(AS2_TEST_LIBS)
%C%_as2_oracle_SOURCES = %D%/as2_oracle.c %D%/as2_peer.c %D%/as2_peer.h
%C%_as2_oracle_CPPFLAGS = $(AS2_TEST_CPPFLAGS)
%C%_as2_oracle_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=EVP_PKEY_decrypt,--wrap=HMAC,--wrap=OPENSSL_cleanse,--wrap=digest_bytes
%C%_as2_oracle_LDADD = $(AS2_TEST_LIBS)
%C%_as2_package_SOURCES = %D%/as2_package.c %D%/as2_peer.c %D%/as2_peer.h
%C%_as2_package_CPPFLAGS = $(AS2_TEST_CPPFLAGS)
%C%_as2_package_LDADD = $(AS2_TEST_LIBS)
%C%_as2_replay_SOURCES = %D%/as2_replay.c %D%/as2_replay_as2.c %D%/as2_replay_cms.c %D%/as2_replay_mime.c \
	%D%/as2_peer.c %D%/as2_peer.h
%C%_as2_replay_CPPFLAGS = $(AS2_TEST_CPPFLAGS)
%C%_as2_replay_LDADD = $(AS2_TEST_LIBS)
%C%_as2_torture_SOURCES = %D%/as2_torture.c %D%/as2_peer.c %D%/as2_peer.h
%C%_as2_torture_CPPFLAGS = $(AS2_TEST_CPPFLAGS)
%C%_as2_torture_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
%C%_as2_torture_LDADD = $(AS2_TEST_LIBS)
