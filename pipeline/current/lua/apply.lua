#!lua
-- Applies changes of one Kafka partition and moves its position, in one step: whatever happens, the position says what is
-- in the rows. A row is written only if it is newer than what is known of it, so replays and other orders change nothing.
-- Returns the number of rows written; -1 when the partition's position is not the expected one: nothing is written then.
-- KEYS: positions, states, floors, deleted, tracked, rows, versions
-- ARGV: partition, position before, position after, state, table, number of rows, then of each row: field, version,
--       JSON (empty: deleted); then of each tracked symbol: time in ms, symbol
local positions, states, floors, deleted, tracked, rows, versions = unpack(KEYS)
local partition, table_name = ARGV[1], ARGV[5]
if redis.call('HGET', positions, partition) ~= ARGV[2] then return -1 end

local floor = tonumber(redis.call('HGET', floors, table_name) or 0)
local written = 0
local at = 7
for _ = 1, tonumber(ARGV[6]) do
    local field, version, row = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    at = at + 3
    local known = tonumber(redis.call('HGET', versions, field) or 0)
    if tonumber(version) > floor and tonumber(version) >= known then
        redis.call('HSET', versions, field, version)
        if row == '' then
            redis.call('HDEL', rows, field)
            redis.call('ZADD', deleted, version, table_name .. ' ' .. field)
        elseif redis.call('HSET', rows, field, row) == 1 then
            redis.call('ZREM', deleted, table_name .. ' ' .. field)
        end
        written = written + 1
    end
end
for index = at, #ARGV, 2 do
    redis.call('ZADD', tracked, 'GT', ARGV[index], ARGV[index + 1])
end
redis.call('HSET', positions, partition, ARGV[3])
redis.call('HSET', states, partition, ARGV[4])
return written
