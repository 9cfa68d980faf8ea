/* `vanctl receipt verify BUNDLE.tar [--key VKEY] [--json]`: needs no server. */
#ifndef OPENVAN_VANCTL_RECEIPT_VERIFY_H
#define OPENVAN_VANCTL_RECEIPT_VERIFY_H

/* argv[0] is "verify". Returns the exit status: 0 verified, 1 not verified, 2 usage or environment. */
int vanctl_receipt_verify(int argc, char **argv);

#endif
