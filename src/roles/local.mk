sbin_PROGRAMS += vand
vand_SOURCES = \
	%D%/main.c %D%/role.c %D%/role.h %D%/spool.c %D%/spool.h %D%/sandbox.c %D%/sandbox.h %D%/mhdloop.c %D%/mhdloop.h \
	%D%/supervisor/check.c %D%/supervisor/child.c %D%/supervisor/child.h \
	%D%/supervisor/credentials.c %D%/supervisor/credentials.h \
	%D%/supervisor/files.c %D%/supervisor/files.h %D%/supervisor/keys.c %D%/supervisor/keys.h \
	%D%/supervisor/roster.c %D%/supervisor/roster.h %D%/supervisor/supervisor.c %D%/supervisor/supervisor.h \
	%D%/supervisor/wiring.c %D%/supervisor/wiring.h \
	%D%/keyd/keyd.c %D%/keyd/keyring.c %D%/keyd/keyring.h \
	%D%/http/connection.c %D%/http/connection.h %D%/http/dispatch.c %D%/http/http.c %D%/http/http.h %D%/http/listener.c %D%/http/partial.c %D%/http/partial.h \
	%D%/http/restart.c %D%/http/restart.h %D%/http/request.h %D%/http/requests.c \
	%D%/http/tls.c %D%/http/tls.h \
	%D%/worker/admit.c %D%/worker/advice.c %D%/worker/advice_plain.c %D%/worker/artefact.c %D%/worker/conflict.c %D%/worker/documents.c %D%/worker/acknowledge.c %D%/worker/interchange.c %D%/worker/interchange.h %D%/worker/output.c %D%/worker/job.c %D%/worker/job.h %D%/worker/terms.c \
	%D%/worker/argon2.c %D%/worker/argon2.h \
	%D%/worker/maps.c %D%/worker/mdn.c %D%/worker/package.c %D%/worker/password.c %D%/worker/peers.c %D%/worker/receive.c %D%/worker/plain.c %D%/worker/rules.c %D%/worker/share.c %D%/worker/translate.c \
	%D%/worker/worker.c %D%/worker/worker.h \
	%D%/deliver/credentials.c %D%/deliver/deliver.c %D%/deliver/deliver.h %D%/deliver/poller.c \
	%D%/deliver/sftp_client.c %D%/deliver/sftp_client.h %D%/deliver/sftp_folder.c %D%/deliver/sftp_folder.h %D%/deliver/sftp_job.c %D%/deliver/sftp_job.h \
	%D%/deliver/sftp_poll.c %D%/deliver/sftp_push.c %D%/deliver/transfer.c %D%/web/page.c %D%/web/page.h %D%/web/web.c
# src/roles/store/local.mk and src/roles/sftp/local.mk add to vand_SOURCES
vand_LDADD = src/queue/libqueue.a src/receipt/libreceipt.a src/store/libstore.a src/partner/libpartner.a \
	src/as2/libas2.a src/cms/libcms.a src/mime/libmime.a src/map/libmap.a src/edi/libedi.a src/sftp/libsftp.a \
	src/ipc/libipc.a src/base/libbase.a \
	$(MHD_LIBS) $(CURL_LIBS) $(GNUTLS_LIBS) $(SSH_LIBS) $(LMDB_LIBS) $(YAML_LIBS) $(JANSSON_LIBS) $(XML_LIBS) $(ZLIB_LIBS) $(CRYPTO_LIBS) \
	$(CRYPT_LIBS) $(ARGON2_LIBS) $(SECCOMP_LIBS) $(SYSTEMD_LIBS) -lpthread
include src/roles/store/local.mk
include src/roles/sftp/local.mk
