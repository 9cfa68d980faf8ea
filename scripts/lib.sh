# shellcheck shell=bash disable=SC2034,SC2154
# Read by ./run-tests and ./quickstart: what to install from Debian, how to install it, how to build.
# The reader sets `top` (the source tree) and `work` (a folder for logs).

PACKAGES_BUILD="autoconf automake make gcc libc6-dev pkgconf xz-utils
	libssl-dev libssh-dev libmicrohttpd-dev libgnutls28-dev libxml2-dev liblmdb-dev libcurl4-openssl-dev
	zlib1g-dev libxxhash-dev libyaml-dev libjansson-dev libseccomp-dev libcrypt-dev libargon2-dev libsystemd-dev"
PACKAGES_TEST="libcmocka-dev python3 python3-jsonschema python3-paramiko openssl curl openssh-client lftp rclone sshfs procps
	putty-tools dropbear-bin rsync libnet-sftp-foreign-perl ruby-net-sftp php-cli php-phpseclib3 python3-asyncssh"
PACKAGES_DEMO="openssl curl openssh-client"

start_seconds=$SECONDS

say() {
	printf '%s\n' "$*"
}

# One line of progress, with the time since the start.
step() {
	printf '\n== %s  [%ss]\n' "$*" "$((SECONDS - start_seconds))"
}

fail() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

package_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Runs a command as root.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		fail "'$*' must be run as root; run it yourself, or install sudo, and start again"
	fi
}

# install_packages PACKAGE...: installs those that are missing, and says which.
install_packages() {
	local missing=() p
	command -v dpkg-query >/dev/null || fail "this script installs packages of Debian 12; elsewhere use ./configure && make"
	for p in "$@"; do
		package_installed "$p" || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	step "Installing ${#missing[@]} packages: ${missing[*]}"
	# RUNLEVEL=1: nothing that is installed starts a service by itself.
	local apt=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 LC_ALL=C.UTF-8 apt-get -q
		-o Dpkg::Use-Pty=0 -o Acquire::Retries=3)
	as_root "${apt[@]}" update >"$work/apt.log" 2>&1 || { tail -20 "$work/apt.log" >&2; fail "apt-get update failed"; }
	as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >>"$work/apt.log" 2>&1 ||
		{ tail -20 "$work/apt.log" >&2; fail "apt-get install failed; see $work/apt.log"; }
}

# git as whoever owns the clone: root may run this in a user's clone.
tree_git() {
	git -c safe.directory='*' -C "$top" "$@"
}

# The build folders need a source tree that is not configured itself.
prepare_tree() {
	if [ -e "$top/config.status" ]; then
		say "The source tree itself is configured; 'make distclean' undoes that, so that build/ can be used."
		make -C "$top" distclean >"$work/distclean.log" 2>&1 || fail "make distclean failed; see $work/distclean.log"
	fi
	if [ ! -x "$top/configure" ] || [ "$top/configure.ac" -nt "$top/configure" ] || [ ! -e "$top/Makefile.in" ]; then
		step "Preparing the build system (autoreconf)"
		(cd "$top" && autoreconf -fi) >"$work/autoreconf.log" 2>&1 ||
			{ tail -20 "$work/autoreconf.log" >&2; fail "autoreconf failed; see $work/autoreconf.log"; }
	fi
}

# configure_in FOLDER OPTION...: configures once, and again when configure is newer.
configure_in() {
	local dir="$top/$1"
	shift
	mkdir -p "$dir"
	# A tree that was moved or copied: everything in it names its old place.
	if [ -e "$dir/Makefile" ] && ! grep -qxF "abs_top_srcdir = $top" "$dir/Makefile"; then
		find "$dir" -mindepth 1 -maxdepth 1 ! -name logs -exec rm -rf {} +
	fi
	if [ ! -e "$dir/Makefile" ] || [ "$top/configure" -nt "$dir/config.status" ]; then
		step "Configuring in ${dir##*/}/"
		(cd "$dir" && "$top/configure" -q "$@") >"$dir/configure.out" 2>&1 ||
			{ tail -20 "$dir/configure.out" >&2; fail "configure failed; see $dir/configure.out"; }
	fi
}
