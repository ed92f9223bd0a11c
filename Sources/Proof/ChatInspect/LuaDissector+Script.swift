extension LuaDissector {
    /// What walks through the tables. A fault adds a line `malformed` and ends its part, whatever the bytes are.
    static let script = #"""
        local chat = Proto("chat", "Chat relay protocol")
        local names = {}
        for code, one in pairs(datagrams) do names[code] = one.name end
        local codes = {}
        for code, one in pairs(messages) do codes[code] = one.name end
        local f = {
          version = ProtoField.uint8("chat.version", "version"),
          kind = ProtoField.uint8("chat.kind", "kind", base.DEC, names),
          session = ProtoField.bytes("chat.session", "session"),
          packet = ProtoField.uint64("chat.packet", "packet"),
          code = ProtoField.uint8("chat.message", "message", base.HEX, codes),
          address = ProtoField.string("chat.address", "address"),
          payload = ProtoField.bytes("chat.payload", "payload"),
          malformed = ProtoField.string("chat.malformed", "malformed"),
        }
        chat.fields = f

        local function fault(tree, what) tree:add(f.malformed, what) end

        local function varint(tvb, at)
          local value, factor = 0, 1
          for count = 1, 10 do
            if at >= tvb:len() then return nil end
            local byte = tvb(at, 1):uint()
            value, factor, at = value + (byte % 128) * factor, factor * 128, at + 1
            if byte < 128 then return value, at end
          end
          return nil
        end

        -- One field of a proto3 message: number, value or length, where its bytes begin and end.
        local function field(tvb, at)
          local key, start = varint(tvb, at)
          if not key or key < 8 then return nil end
          local number, wire = math.floor(key / 8), key % 8
          if wire == 0 then
            local value, stop = varint(tvb, start)
            if not value then return nil end
            return number, value, start, stop
          end
          local size = wire == 1 and 8 or wire == 5 and 4 or nil
          if wire == 2 then size, start = varint(tvb, start) end
          if not size or size > tvb:len() - start then return nil end
          return number, nil, start, start + size
        end

        -- Whether bytes read as a message of a layout, all of whose fields are known.
        local function fits(tvb, layout)
          local at, count = 0, 0
          while at < tvb:len() do
            local number, _, _, stop = field(tvb, at)
            if not number or not layout[number] then return false end
            at, count = stop, count + 1
          end
          return count > 0
        end

        local function walk(tvb, tree, layout, depth)
          local at = 0
          while at < tvb:len() do
            local number, value, start, stop = field(tvb, at)
            if not number then return fault(tree, "no proto3 field at byte " .. at) end
            local known = layout[number] or { name = "field " .. number, type = "bytes" }
            local whole, size = tvb(at, stop - at), stop - start
            local text = known.name
            if value then
              text = text .. ": " .. string.format("%.0f", value)
            elseif known.type == "text" then
              text = text .. ": " .. (size > 0 and tvb(start, size):string() or "")
            else
              text = text .. ": " .. size .. " bytes"
            end
            local part = tree:add(whole, text .. (known.meaning and "  (" .. known.meaning .. ")" or ""))
            local into = known.into and layouts[known.into]
            if into and not value and size > 0 and depth < 24 then
              local inner = tvb(start, size):tvb()
              if not known.maybe or fits(inner, into) then
                part:append_text(", " .. known.into)
                walk(inner, part, into, depth + 1)
              end
            end
            at = stop
          end
        end

        local message

        local function frames(tvb, at, tree, info)
          while at < tvb:len() do
            local code, left = tvb(at, 1):uint(), tvb:len() - at
            if code == 0 then
              local start = at
              while at < tvb:len() and tvb(at, 1):uint() == 0 do at = at + 1 end
              tree:add(tvb(start, at - start), "PADDING, " .. at - start .. " bytes")
            elseif code == 1 then
              tree:add(tvb(at, 1), "PING")
              info[#info + 1], at = "PING", at + 1
            elseif code == 2 then
              local count = left >= 6 and tvb(at + 5, 1):uint() or 0
              if count < 1 or count > 16 or left < 6 + 16 * count then return fault(tree, "ACK at byte " .. at) end
              local part = tree:add(tvb(at, 6 + 16 * count), "ACK, " .. count .. " ranges")
              part:add(tvb(at + 1, 4), "delay: " .. tvb(at + 1, 4):uint() .. " µs")
              for index = 0, count - 1 do
                local first = at + 6 + 16 * index
                part:add(tvb(first, 16), tvb(first, 8):uint64():tonumber() .. " to " .. tvb(first + 8, 8):uint64():tonumber())
              end
              info[#info + 1], at = "ACK", at + 6 + 16 * count
            elseif code == 3 then
              if left < 20 then return fault(tree, "MESSAGE at byte " .. at) end
              local total, index = tvb(at + 13, 4):uint(), tvb(at + 17, 2):uint()
              local size = math.min(LARGEST_FRAGMENT, total - LARGEST_FRAGMENT * index)
              if size < 1 or size > left - 19 then return fault(tree, "fragment at byte " .. at) end
              local part = tree:add(tvb(at, 19 + size), "MESSAGE " .. tvb(at + 1, 8):uint64():tonumber())
              part:add(tvb(at + 9, 4), "distance: " .. tvb(at + 9, 4):uint())
              part:add(tvb(at + 13, 4), "bytes: " .. total)
              part:add(tvb(at + 17, 2), "fragment: " .. index)
              if size == total then
                message(tvb(at + 19, size):tvb(), part, info)
              else
                part:add(f.payload, tvb(at + 19, size)):append_text(" (a part)")
                info[#info + 1] = "MESSAGE (a part)"
              end
              at = at + 19 + size
            else
              return fault(tree, "frame " .. code .. " at byte " .. at)
            end
          end
        end

        local function fields(tvb, at, tree, layout, info)
          local index = 1
          while index <= #layout.fields do
            local name, width, size = layout.fields[index][1], layout.fields[index][2], layout.fields[index][3]
            local left = tvb:len() - at
            if width == "again" then
              if left == 0 then return end
              index, left = 0, nil
            elseif width == "frames" then
              return frames(tvb, at, tree, info)
            elseif width == "padding" then
              if left > 0 then tree:add(tvb(at, left), name .. ", " .. left .. " bytes") end
              return
            elseif width == "payload" then
              if left == 0 then return end
              local part = tree:add(f.payload, tvb(at, left))
              local inner, envelope = tvb(at, left):tvb(), layouts["EnvelopeV1"]
              if fits(inner, envelope) then
                part:append_text(", EnvelopeV1")
                info[#info] = info[#info] .. " (EnvelopeV1)"
                walk(inner, part, envelope, 1)
              end
              return
            else
              if width == "text" or width == "short" then
                size = left > 0 and tvb(at, 1):uint() or left
                at, left = at + 1, left - 1
              end
              if left < size then return fault(tree, name .. " ends too early") end
              if size == 0 then
                tree:add(tvb(at - 1, 1), name .. ": empty")
              elseif width == "text" and name == "address" then
                tree:add(f.address, tvb(at, size))
              elseif width == "text" then
                tree:add(tvb(at, size), name .. ": " .. tvb(at, size):string())
              elseif width == "number" and name == "packet" then
                tree:add(f.packet, tvb(at, size))
              elseif width == "number" then
                local range = tvb(at, size)
                tree:add(range, name .. ": " .. (size == 8 and tostring(range:uint64()) or range:uint()))
              else
                tree:add(tvb(at, size), name .. ": " .. tostring(tvb(at, size):bytes()))
              end
              at = at + size
            end
            index = index + 1
          end
          if at < tvb:len() then fault(tree, tvb:len() - at .. " bytes too many") end
        end

        message = function(tvb, tree, info)
          local code = tvb(0, 1):uint()
          tree:add(f.code, tvb(0, 1))
          local layout = messages[code]
          if not layout then return fault(tree, "no message has this code") end
          info[#info + 1] = layout.name
          fields(tvb, 1, tree, layout, info)
        end

        function chat.dissector(tvb, pinfo, root)
          if tvb:len() < 10 or tvb(0, 1):uint() ~= 1 then return 0 end
          local layout = datagrams[tvb(1, 1):uint()]
          if not layout then return 0 end
          pinfo.cols.protocol = "CHAT"
          local tree, info = root:add(chat, tvb()), { layout.name }
          tree:add(f.version, tvb(0, 1))
          tree:add(f.kind, tvb(1, 1))
          tree:add(f.session, tvb(2, 8))
          fields(tvb, 10, tree, layout, info)
          pinfo.cols.info = table.concat(info, " ")
          return tvb:len()
        end

        chat:register_heuristic("udp", function(tvb, pinfo, root) return chat.dissector(tvb, pinfo, root) > 0 end)
        DissectorTable.get("udp.port"):add(9220, chat)
        """#
}
