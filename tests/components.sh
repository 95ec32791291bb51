#!/usr/bin/env bash
# Installs the real programs that tests talk to: dcmtk, Orthanc with DICOMweb, age, strace, Chromium, node,
# and the servers of a practice's network (Samba, databases, web, FTP, SSH) that tests start themselves.
# On Debian with root or password-less sudo it installs what is missing; elsewhere it says what is
# missing, and the tests that need it are skipped with that reason (in CI they fail).
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A units=([nginx-light]=nginx [mariadb-server]=mariadb [samba]=smbd [openssh-server]=ssh)
wanted=()
need() { # need PACKAGE FILE-OR-COMMAND...
  local package=$1 thing
  shift
  for thing in "$@"; do
    case $thing in
      /*) compgen -G "$thing" > /dev/null || { wanted+=("$package"); return; } ;;
      *) command -v "$thing" > /dev/null || { wanted+=("$package"); return; } ;;
    esac
  done
}

export PATH=$PATH:/usr/sbin:/sbin
need dcmtk dcmconv
need orthanc Orthanc
need orthanc-dicomweb /usr/share/orthanc/plugins/libOrthancDicomWeb.so
need age age
need strace strace
need chromium chromium
need nginx-light nginx
need redis-server redis-server
need memcached memcached
need mariadb-server mariadbd mariadb-install-db
need postgresql "/usr/lib/postgresql/*/bin/initdb"
need samba smbd
need vsftpd vsftpd
need rsync rsync
need nfs-ganesha-vfs ganesha.nfsd /usr/lib/x86_64-linux-gnu/ganesha/libfsalvfs.so
need libnginx-mod-http-dav-ext /usr/lib/nginx/modules/ngx_http_dav_ext_module.so
need openssh-server sshd
need nmap nmap
need inetutils-telnetd telnetd inetutils-inetd
need tigervnc-standalone-server Xtigervnc
need xrdp xrdp
need snmpd snmpd
need nftables nft
need nmap nmap

if [ ${#wanted[@]} -gt 0 ]; then
  as_root=none
  if [ "$(id -u)" = 0 ]; then
    as_root=
  elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
    as_root=sudo
  fi
  if [ "$as_root" != none ] && command -v apt-get > /dev/null; then
    echo "Installing for the tests: ${wanted[*]}"
    # No package starts its servers: tests start their own, on loopback or in a network of their own.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      printf '#!/bin/sh\nexit 101\n' | $as_root install -m 755 /dev/stdin "$policy"
      trap '$as_root rm -f "$policy"' EXIT
    fi
    $as_root apt-get update -q > /dev/null
    $as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -qq -y --no-install-recommends "${wanted[@]}" > /dev/null
    # Nor when the machine starts again: the archive of the package would accept anybody.
    if [ -d /run/systemd/system ]; then
      for package in "${wanted[@]}"; do
        $as_root systemctl disable "${units[$package]:-$package}" > /dev/null 2>&1 || true
      done
    fi
  else
    echo "Not installed here: ${wanted[*]}; the tests that need them are skipped." >&2
  fi
fi

[ -f tests/tools/package-lock.json ] || exit 0

if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
  echo "Installing node for the tests into .venv"
  .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r tests/node.lock
fi

stamp=tests/tools/node_modules/.stamp
if [ ! -e "$stamp" ] || [ tests/tools/package-lock.json -nt "$stamp" ]; then
  npm ci --prefix tests/tools --no-audit --no-fund --ignore-scripts --silent
  touch "$stamp"
fi
