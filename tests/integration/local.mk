# The product driven from outside: quick forms here, whole ones by tests/run-slow.
INTEGRATION_TESTS = %D%/job.sh %D%/bad-input.sh %D%/cli.sh %D%/clients.sh %D%/as2-receive.sh
INTEGRATION_TESTS += %D%/access.sh %D%/mailbox.sh %D%/outbound.sh
INTEGRATION_TESTS += %D%/as2-http.sh %D%/as2-field.sh
INTEGRATION_TESTS += %D%/as2-send.sh %D%/as2-restart.sh %D%/as2-revocation.sh %D%/as2-exchange.sh %D%/as2-attached.sh %D%/partners.sh
INTEGRATION_TESTS += %D%/dictionaries.sh %D%/maps.sh
INTEGRATION_TESTS += %D%/agreements.sh %D%/plain.sh %D%/terms.sh
INTEGRATION_TESTS += %D%/backup.sh
TESTS += $(INTEGRATION_TESTS)
EXTRA_DIST += $(INTEGRATION_TESTS) tests/run-slow \
	%D%/tap.py %D%/x12.py %D%/demo.py %D%/fake_as2.py %D%/job.py %D%/bad_input.py %D%/cli.py %D%/clients.py %D%/more_clients.py \
	%D%/as2_message.py %D%/as2_receive.py
EXTRA_DIST += %D%/access.py %D%/mailbox.py %D%/outbound.py %D%/sessions.py %D%/large.py
EXTRA_DIST += %D%/as2_http.py %D%/as2_field.py
EXTRA_DIST += %D%/as2_peer.py %D%/as2_send.py %D%/as2_restart.py %D%/as2_revocation.py %D%/as2_exchange.py %D%/as2_attached.py %D%/partners.py %D%/as2_libas2.py %D%/as2_libas2.js
EXTRA_DIST += %D%/dictionaries.py %D%/agreements.py
EXTRA_DIST += %D%/maps.py %D%/plain.py %D%/terms.py
EXTRA_DIST += %D%/backup.py
