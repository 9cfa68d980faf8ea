noinst_LIBRARIES += %D%/libcms.a
%C%_libcms_a_SOURCES = \
	%D%/algorithm.c %D%/algorithm.h \
	%D%/ber.c %D%/ber.h \
	%D%/cert.c %D%/cert.h \
	%D%/cert_cache.c \
	%D%/certs_only.c %D%/certs_only.h \
	%D%/compress.c %D%/compress.h \
	%D%/crl.c %D%/crl.h \
	%D%/decrypt.c %D%/decrypt.h \
	%D%/digest.c %D%/digest.h %D%/evp.h \
	%D%/ecdh.c %D%/ecdh.h \
	%D%/encrypt.c %D%/encrypt.h \
	%D%/inflate.c %D%/inflate.h \
	%D%/oid.c %D%/oid.h \
	%D%/prepared.c %D%/prepared.h \
	%D%/reader.c %D%/reader.h \
	%D%/recipient.c %D%/recipient.h \
	%D%/sign.c %D%/sign.h \
	%D%/signed.c %D%/signed.h \
	%D%/trust.c %D%/trust.h \
	%D%/unwrap.c \
	%D%/unwrap_ecdh.c %D%/unwrap_ecdh.h \
	%D%/verify.c \
	%D%/wrap.c %D%/wrap.h \
	%D%/wrap_ecdh.c
