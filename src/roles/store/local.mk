# The store role adds its files to vand.
vand_SOURCES += \
	%D%/apart.c \
	%D%/bans.c %D%/bans.h \
	%D%/checkpoint.c %D%/checkpoint.h \
	%D%/connections.c %D%/connections.h \
	%D%/control.h \
	%D%/control_access.c \
	%D%/control_agreement.c \
	%D%/control_backup.c \
	%D%/control_actions.c \
	%D%/control_apply.c \
	%D%/control_cert.c \
	%D%/control_export.c \
	%D%/control_hand_out.c \
	%D%/control_handlers.h \
	%D%/control_args.c %D%/control_args.h \
	%D%/control_mailbox.c \
	%D%/control_mailbox_files.c \
	%D%/control_map.c \
	%D%/control_message.c \
	%D%/control_metrics.c \
	%D%/control_numbers.c \
	%D%/control_partner.c \
	%D%/control_receipt.c \
	%D%/control_route.c \
	%D%/control_send.c \
	%D%/control_status.c \
	%D%/control_table.c \
	%D%/control_unique.c \
	%D%/deliveries.c %D%/deliveries.h \
	%D%/delivery_mdn.c \
	%D%/delivery_sftp.c \
	%D%/delivery_try.c \
	%D%/job_result.c \
	%D%/jobs.c %D%/jobs_private.h \
	%D%/downloads.c \
	%D%/keys.c \
	%D%/login.c \
	%D%/maps.c %D%/maps.h \
	%D%/overdue.c \
	%D%/polls.c %D%/polls.h \
	%D%/receive.c \
	%D%/release.c %D%/release.h \
	%D%/restored.c %D%/restored.h \
	%D%/session_proof.c %D%/session_proof.h \
	%D%/sessions.c %D%/sessions.h \
	%D%/store.c %D%/store_role.h \
	%D%/throttles.c %D%/throttles.h \
	%D%/tidy.c %D%/tidy.h \
	%D%/upload_status.c \
	%D%/uploads.c \
	%D%/writer.c %D%/writer.h
