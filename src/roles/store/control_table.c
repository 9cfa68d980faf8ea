/* Every command of the control socket, by name. */
#include "roles/store/control_handlers.h"

const struct control_command control_commands[] = {
	{.name = "status", .read = control_status},
	{.name = "metrics", .read = control_metrics},
	{.name = "message.list", .read = control_message_list},
	{.name = "message.show", .read = control_message_show},
	{.name = "message.get", .read = control_message_get},
	{.name = "ack.list", .read = control_ack_list},
	{.name = "mailbox.list", .read = control_mailbox_list},
	{.name = "queue.list", .read = control_queue_list},
	{.name = "partner.list", .read = control_partner_list},
	{.name = "partner.show", .read = control_partner_show},
	{.name = "partner.history", .read = control_partner_history},
	{.name = "receipt.list", .read = control_receipt_list},
	{.name = "receipt.show", .read = control_receipt_show},
	{.name = "route.explain", .read = control_route_explain},
	{.name = "receipt.export", .apart = control_receipt_export},
	{.name = "cert.list", .read = control_cert_list},
	{.name = "cert.show", .read = control_cert_show},
	{.name = "partner.dump", .read = control_partner_dump},
	{.name = "partner.apply", .prepare = control_apply_prepare, .write = control_apply_write, .committed = control_apply_committed},
	{.name = "partner.enable", .prepare = control_enable_prepare, .write = control_apply_write, .committed = control_apply_committed},
	{.name = "partner.disable", .prepare = control_disable_prepare, .write = control_apply_write, .committed = control_apply_committed},
	{.name = "partner.remove", .write = control_remove_write, .committed = control_remove_committed},
	{0},
};
