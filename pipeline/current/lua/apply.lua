-- Applies a poll: the changes of some Kafka partitions, and moves their positions, in one step. Whatever happens, the
-- position of a partition says what is in the rows. A row is written only if it is newer than what is known of it
-- (write.lua), so replays and other orders change nothing.
-- Returns for each partition the number of rows written; -1 when its position is not the expected one: nothing of it is
-- written then.
-- KEYS: positions, states, floors, deleted, tracked, then of each partition: rows, versions of its table
-- ARGV: of each partition: its name, position before, position after, state, table, number of rows, number of tracked
--       symbols; then of each row: field, version, JSON (empty: deleted); of each tracked symbol: time in ms, symbol
local positions, states, floors, deleted, tracked = unpack(KEYS, 1, 5)
local at = 0
local function next_argument()
    at = at + 1
    return ARGV[at]
end

local found = {}
for key = 6, #KEYS, 2 do
    local partition, before, after, state = next_argument(), next_argument(), next_argument(), next_argument()
    local table_name, row_count, tracked_count = next_argument(), tonumber(next_argument()), tonumber(next_argument())
    if redis.call('HGET', positions, partition) ~= before then
        at = at + 3 * row_count + 2 * tracked_count
        found[#found + 1] = -1
    else
        local floor, written = tonumber(redis.call('HGET', floors, table_name) or 0), 0
        for _ = 1, row_count do
            local field, version, row = next_argument(), next_argument(), next_argument()
            written = written + write(KEYS[key], KEYS[key + 1], deleted, table_name, floor, field, version, row)
        end
        for _ = 1, tracked_count do
            local until_ms = next_argument()
            redis.call('ZADD', tracked, 'GT', until_ms, next_argument())
        end
        redis.call('HSET', positions, partition, after)
        redis.call('HSET', states, partition, state)
        found[#found + 1] = written
    end
end
return found
