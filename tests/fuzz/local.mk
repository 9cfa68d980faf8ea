include %D%/partner.mk
include %D%/sftp.mk
include %D%/edi.mk
