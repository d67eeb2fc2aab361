import socket

import pytest

from pipeline.api.serve import refuse_taken
from pipeline.errors import BadSetting


def test_taken_port_is_a_bad_setting_that_names_it():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(BadSetting, match=f"API_PORT={port}.*127.0.0.1:{port}"):
            refuse_taken("127.0.0.1", port)


def test_free_port_is_left_free_for_the_server():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
    refuse_taken("127.0.0.1", port)
    refuse_taken("127.0.0.1", port)


def test_address_of_another_machine_is_a_bad_setting():
    with pytest.raises(BadSetting, match="API_PORT"):
        refuse_taken("192.0.2.1", 5000)
