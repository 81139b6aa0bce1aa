"""What Redis does in one step, in its own language.

A key has a hash with the fields `fence` (the last one given), `version` and `value`, and
beside it the lease: a string that holds the holder's mark and runs out by itself. A door
is shut while there is a string that runs out. Names that one script has share one slot of
a cluster.

Rule 1: whatever is compared and then changed is so in one script.
Rule 2: the time is that of Redis, in microseconds: the clocks of a fleet differ.
"""

from __future__ import annotations

# KEYS: hash, lease. ARGV: mark, milliseconds, floor. Gives the fence, or 0 when it is held.
TAKE = """
if not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
local known = redis.call('HMGET', KEYS[1], 'fence', 'version')
local fence = math.max(tonumber(known[1] or 0), tonumber(known[2] or 0), tonumber(ARGV[3])) + 1
redis.call('HSET', KEYS[1], 'fence', string.format('%.0f', fence))
return fence
"""

# KEYS: lease. ARGV: mark, milliseconds.
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

# KEYS: lease. ARGV: mark.
FREE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""

# KEYS: hash. ARGV: fence, value.
WRITE = """
if tonumber(redis.call('HGET', KEYS[1], 'version') or 0) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'value', ARGV[2])
return 1
"""

# KEYS: hash. Gives version and value.
READ = """
return redis.call('HMGET', KEYS[1], 'version', 'value')
"""

# KEYS: hash. ARGV: milliseconds. A write leaves them as they are. A fence goes, too, under which
# nothing was ever written.
KEEP = """
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('HEXISTS', KEYS[1], 'version')
"""

# KEYS: hash, lease. ARGV: version.
IS_NEWS = """
if redis.call('EXISTS', KEYS[2]) == 0 then return 1 end
if tonumber(redis.call('HGET', KEYS[1], 'version') or 0) > tonumber(ARGV[1]) then return 1 end
return 0
"""

# KEYS: list of the times when one was spent. ARGV: limit, microseconds of the window.
# Leaves `now` and the microseconds to wait. A time to come is from before the clock was set
# back, and counts as now. tostring() would round a time of sixteen digits.
_COUNT = """
local time = redis.call('TIME')
local now, limit, window = time[1] * 1000000 + time[2], tonumber(ARGV[1]), tonumber(ARGV[2])
local last = redis.call('LINDEX', KEYS[1], -1)
if last and tonumber(last) > now then
  local all = redis.call('LRANGE', KEYS[1], 0, -1)
  redis.call('DEL', KEYS[1])
  for _, spent in ipairs(all) do
    redis.call('RPUSH', KEYS[1], string.format('%.0f', math.min(tonumber(spent), now)))
  end
end
local first = redis.call('LINDEX', KEYS[1], 0)
while first and tonumber(first) <= now - window do
  redis.call('LPOP', KEYS[1])
  first = redis.call('LINDEX', KEYS[1], 0)
end
local count, wait = redis.call('LLEN', KEYS[1]), 0
if count < limit then
  redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
else
  wait = redis.call('LINDEX', KEYS[1], count - limit) + window - now
end
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
"""

# KEYS and ARGV: those of _COUNT. Gives the microseconds to wait.
SPEND = f"""{_COUNT}
return wait
"""

# KEYS: door. ARGV: milliseconds. One that is shut for longer stays so.
SHUT = """
if redis.call('PTTL', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
return 1
"""

# KEYS: those of _COUNT, doors. ARGV: those of _COUNT. Gives the microseconds to wait, or less
# than 0: the time, negated, when one was spent; or the place of the door that is shut for the
# longest, and milliseconds.
ENTER = f"""
local longest, place = -1, 0
for number = 2, #KEYS do
  local left = redis.call('PTTL', KEYS[number])
  if left > longest then longest, place = left, number - 2 end
end
if longest >= 0 then return {{place, longest + 1}} end
{_COUNT}
if wait > 0 then return wait end
return -now
"""

# KEYS: list of _COUNT. ARGV: the time when one was spent. Those of one time are alike, and most
# that are taken back are of late.
TAKE_BACK = """
return redis.call('LREM', KEYS[1], -1, ARGV[1])
"""

# KEYS: one that nothing else uses. A write: a replica or a full memory refuses it.
PROBE = """
return redis.call('SET', KEYS[1], '1', 'PX', 1000)
"""
