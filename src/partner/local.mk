noinst_LIBRARIES += %D%/libpartner.a
%C%_libpartner_a_CPPFLAGS = $(AM_CPPFLAGS) $(YAML_CFLAGS) $(JANSSON_CFLAGS) $(CRYPTO_CFLAGS) $(XML_CFLAGS)
%C%_libpartner_a_SOURCES = \
	%D%/agreement.c %D%/agreement.h \
	%D%/certificate.c \
	%D%/directory.c %D%/directory.h \
	%D%/directory_check.c \
	%D%/directory_document.c \
	%D%/directory_private.h \
	%D%/directory_route.c \
	%D%/directory_index.c %D%/directory_index.h \
	%D%/directory_tables.c \
	%D%/identity.c %D%/identity.h \
	%D%/node.c %D%/node.h \
	%D%/node_json.c \
	%D%/node_yaml.c \
	%D%/openas2.c %D%/openas2.h \
	%D%/private_key.c \
	%D%/problems.c %D%/problems.h \
	%D%/profile.h \
	%D%/profile_check.c \
	%D%/profile_dates.c \
	%D%/profile_finish.c \
	%D%/profile_load.c \
	%D%/profile_private.h \
	%D%/profile_schema.c \
	%D%/schema.h \
	%D%/schema_read.c \
	%D%/schema_reference.c \
	%D%/schema_scalar.c \
	%D%/schema_write.c \
	%D%/settings.c %D%/settings.h \
	%D%/template.c %D%/template.h
