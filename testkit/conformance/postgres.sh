#!/bin/sh
# Installs PostgreSQL 15 for the store suite (Debian 12). Needs root.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends postgresql-15 >/dev/null
test -x /usr/lib/postgresql/15/bin/postgres
