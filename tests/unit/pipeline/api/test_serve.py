import gc
import socket
import sys

import pytest

from pipeline.api.serve import SWITCH_SECONDS, check_port_is_free, prepare_interpreter
from pipeline.errors import BadSetting


def test_taken_port_raises_bad_setting_with_its_number():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(BadSetting, match=f"API_PORT={port}.*127.0.0.1:{port}"):
            check_port_is_free("127.0.0.1", port)


def test_check_leaves_the_port_free_for_the_server():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
    check_port_is_free("127.0.0.1", port)
    check_port_is_free("127.0.0.1", port)


def test_address_of_another_machine_raises_bad_setting():
    with pytest.raises(BadSetting, match="API_PORT"):
        check_port_is_free("192.0.2.1", 5000)


def test_garbage_collector_leaves_out_what_exists_when_the_worker_starts():
    before = sys.getswitchinterval()
    try:
        prepare_interpreter(None)
        assert gc.get_freeze_count() > 10_000
        assert len(gc.get_objects()) < 1_000
        assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)
