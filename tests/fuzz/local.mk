include %D%/partner.mk
include %D%/sftp.mk
