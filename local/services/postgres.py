"""PostgreSQL with logical decoding. Knows how a data directory is made and served; knows nothing of
tables."""

import os
import shutil
import signal
from pathlib import Path

from local import postgres_home
from local.checks import postgres as check
from local.postgres_programs import PostgresPrograms
from local.service import RunStep, Service
from local.site import Site

SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # Nothing connects through a socket file, and its path must not exceed 107 bytes.
    "unix_socket_directories": "",
    "wal_level": "logical",
    "max_wal_senders": "8",
    "max_replication_slots": "8",
    # A stopped connector must not fill the disk.
    "max_slot_wal_keep_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "max_connections": "60",
}


def _make_data_directory(run: RunStep, programs: PostgresPrograms, home: Path, password: str) -> None:
    """Run initdb in a new directory, which gets its final name only when it is complete."""
    unfinished, secret = home / "data.new", home / "password"
    shutil.rmtree(unfinished, ignore_errors=True)
    secret.write_text(password + "\n", encoding="utf-8")
    try:
        owner = home.stat()
        os.chown(secret, owner.st_uid, owner.st_gid)
        secret.chmod(0o600)
        run(
            str(programs.bin_dir / "initdb"),
            f"--pgdata={unfinished}",
            "--username=postgres",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            message="making its data directory",
        )
    finally:
        secret.unlink()
    unfinished.rename(home / "data")


def postgres(site: Site) -> Service:
    user = postgres_home.unprivileged_user()
    home = postgres_home.home(site.state_dir, user)
    programs = postgres_home.reachable(site.postgres, home, user)
    data = home / "data"

    def prepare(run: RunStep) -> None:
        if not data.exists():
            _make_data_directory(run, programs, home, site.settings.POSTGRES_PASSWORD)
        postgres_home.drop_stale_lock(data)

    server_settings = SERVER_SETTINGS | {"port": str(site.ports.postgres)}
    options = [part for name, value in server_settings.items() for part in ("-c", f"{name}={value}")]
    return Service(
        name="postgres",
        command=(str(programs.bin_dir / "postgres"), "-D", str(data), *options),
        prepare=prepare,
        ready=lambda: check.ensure_database(
            site.ports.postgres, site.settings.POSTGRES_PASSWORD, site.settings.PGDATABASE
        ),
        environ={"LC_ALL": "C"},
        directory=home,
        user=user,
        stop_signal=signal.SIGINT,  # fast: SIGTERM would wait until every client has disconnected
        death_signal=signal.SIGQUIT,  # immediate, but it ends its children and frees its shared memory
    )
