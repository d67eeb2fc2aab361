"""Times as the API needs them: the driver reads and binds a timestamp as a whole number of ms since
1970, which is what Cassandra sends, and not as a datetime. Relies on how cassandra-driver 3.30
looks up types; a test compares with what Cassandra itself converts."""

from typing import Any

from cassandra.cluster import Session
from cassandra.cqltypes import LongType
from cassandra.protocol import ProtocolHandler, ResultMessage
from cassandra.type_codes import DateType as TIMESTAMP


def epoch_ms_handler() -> Any:
    """A protocol handler to which a timestamp is a bigint."""
    handler = ProtocolHandler
    message = handler.message_types_by_opcode[ResultMessage.opcode]
    result = type("EpochMsResult", (message,), {"type_codes": {**message.type_codes, TIMESTAMP: LongType}})
    messages = {**handler.message_types_by_opcode, ResultMessage.opcode: result}
    return type("EpochMsHandler", (handler,), {"message_types_by_opcode": messages})


def with_epoch_ms(session: Session) -> Session:
    """The session, whose statements must all be prepared after this."""
    session.client_protocol_handler = epoch_ms_handler()
    return session
