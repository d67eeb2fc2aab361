# One image for all Python services; which one runs is the compose file's `command`. Wheels only: nothing is compiled,
# so no build tools come in. Debian and not Alpine: cassandra-driver has no musl wheels.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin crypto
WORKDIR /app

# Before the code: a change of code alone rebuilds nothing of this.
COPY requirements.txt .
RUN pip install --only-binary=:all: -r requirements.txt

COPY . .
USER crypto
