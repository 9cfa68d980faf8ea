include %D%/as2.mk
include %D%/partner.mk
include %D%/sftp.mk
include %D%/edi.mk
