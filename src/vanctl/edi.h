/* `vanctl edi inspect|stats|validate|ack|convert FILE`: needs no server. */
#ifndef OPENVAN_VANCTL_EDI_H
#define OPENVAN_VANCTL_EDI_H

/* argv[0] is "edi", argv[1] the verb. Returns the exit status: 0 done, 1 the answer is no, 2 usage or environment. */
int vanctl_edi(int argc, char **argv);

#endif
