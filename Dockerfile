# One image for all Python services; the compose file's `command` decides which of them runs. Wheels only: nothing is
# compiled, so no build tools are installed. Debian and not Alpine: cassandra-driver has no musl wheels.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# /var/lib/crypto: the compose file mounts a volume there, which takes the owner from this directory.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin crypto \
 && install --directory --owner=crypto --group=crypto /var/lib/crypto
WORKDIR /app

# Before the code, so that a change of the code alone does not install them again.
COPY requirements.txt .
RUN pip install --only-binary=:all: -r requirements.txt

# With an owner: a checkout made under umask 077 is readable by its owner only, and COPY keeps the modes.
COPY --chown=crypto:crypto . .
USER crypto
