"""Redis without persistence. Knows its configuration and its check; knows nothing of keys."""

from local import redis_program
from local.checks import redis as check
from local.service import RunStep, Service
from local.site import Site, render


def redis(site: Site, more: str = "") -> Service:
    """`more`: what follows in its redis.conf."""
    directory = site.state_dir / "redis"
    config = directory / "redis.conf"
    password = site.settings.REDIS_PASSWORD

    def prepare(run: RunStep) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        config.touch(mode=0o600)
        # Redis' own escapes inside of double quotes.
        quoted = password.replace("\\", "\\\\").replace('"', '\\"')
        render("redis.conf", config, more, port=site.ports.redis, password=quoted, directory=directory)

    return Service(
        name="redis",
        command=(redis_program.find() or "redis-server", str(config)),
        prepare=prepare,
        ready=lambda: check.answers(site.ports.redis, password),
    )
