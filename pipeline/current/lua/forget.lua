#!lua flags=allow-oom
-- Forgets rows that were deleted so long ago that Kafka cannot send them again, and symbols that are tracked no more.
-- KEYS: deleted, tracked, then the versions of each table
-- ARGV: version in µs, then the name of each table
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1000)
for _, entry in ipairs(gone) do
    local table_name, field = string.match(entry, '^(%S+) (.*)$')
    for index = 2, #ARGV do
        if ARGV[index] == table_name then redis.call('HDEL', KEYS[index + 1], field) end
    end
    redis.call('ZREM', KEYS[1], entry)
end
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', time[1] * 1000)
return #gone
