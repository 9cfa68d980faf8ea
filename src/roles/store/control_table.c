/* Every command of the control socket, by name. */
#include "roles/store/control.h"

control_fn control_status;
control_fn control_message_list, control_message_show, control_message_get, control_ack_list;
control_fn control_mailbox_list, control_queue_list;
control_fn control_partner_list, control_partner_show, control_partner_history;
control_fn control_receipt_list, control_receipt_show;
control_fn control_route_explain;

const struct control_command control_commands[] = {
	{.name = "status", .read = control_status},
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
	{0},
};
