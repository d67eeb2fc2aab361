#!lua
-- What apply.lua and repair.lua begin with. Writes a row if it is newer than what is known of it and than the last TRUNCATE;
-- an empty row is a deleted one. Returns how many rows were written.
local function write(rows, versions, deleted, table_name, floor, field, version, row)
    local known = tonumber(redis.call('HGET', versions, field) or 0)
    if tonumber(version) <= floor or tonumber(version) < known then return 0 end
    redis.call('HSET', versions, field, version)
    if row == '' then
        redis.call('HDEL', rows, field)
        redis.call('ZADD', deleted, version, table_name .. ' ' .. field)
    elseif redis.call('HSET', rows, field, row) == 1 then
        redis.call('ZREM', deleted, table_name .. ' ' .. field)
    end
    return 1
end

