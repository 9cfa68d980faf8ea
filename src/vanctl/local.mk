bin_PROGRAMS += vanctl
vanctl_SOURCES = \
	%D%/access.c \
	%D%/act.c %D%/act.h \
	%D%/agreement.c %D%/agreement.h \
	%D%/apply.c %D%/apply.h \
	%D%/backup.c %D%/backup.h \
	%D%/backup_files.c \
	%D%/backup_read.c \
	%D%/backup_verify.c \
	%D%/certificate.c %D%/certificate.h %D%/certificate_profile.c \
	%D%/client.c %D%/client.h \
	%D%/control.c \
	%D%/copy_folder.c %D%/copy_folder.h \
	%D%/ctl.h \
	%D%/edi.h \
	%D%/exchange.c %D%/exchange.h \
	%D%/import_openas2.c %D%/import_openas2.h \
	%D%/init.c %D%/init.h \
	%D%/init_keys.c %D%/init_keys.h \
	%D%/keystore.c %D%/keystore.h \
	%D%/main.c \
	%D%/map.c %D%/map.h %D%/map_diff.c %D%/map_files.c %D%/map_source.c %D%/map_test.c \
	%D%/message.c \
	%D%/network.c \
	%D%/parse.c %D%/parse.h \
	%D%/partner_test.c %D%/partner_test.h \
	%D%/partner.c \
	%D%/print.c %D%/print.h \
	%D%/receipt.c \
	%D%/unique.c \
	%D%/restore.c \
	%D%/receipt_verify.c %D%/receipt_verify.h \
	%D%/route.c \
	%D%/route_file.c %D%/route_file.h \
	%D%/send.c %D%/send.h \
	%D%/simple.c %D%/simple.h \
	%D%/table.c %D%/table.h %D%/table_edit.c \
	%D%/template.c %D%/template.h
vanctl_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(CRYPTO_CFLAGS) $(SSH_CFLAGS)
vanctl_LDADD = $(LIB_MAP) $(LIB_CMS) $(LIB_PARTNER) $(LIB_RECEIPT) $(LIB_IPC) $(JANSSON_LIBS) $(YAML_LIBS) $(CRYPTO_LIBS) $(SSH_LIBS) \
	$(LMDB_LIBS) $(XML_LIBS) $(CRYPT_LIBS)
include %D%/edi.mk
