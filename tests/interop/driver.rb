# Net::FTP and Net::SFTP, as a script of their users would call them: one plan as JSON on standard input, the outcome as JSON on standard
# output.

require "json"
require "openssl"

PLAN = JSON.parse($stdin.read)
OUTCOME = { ok: true, text: "", names: [] }

def by_ftp
  require "net/ftp"
  ssl = { ca_file: PLAN["certificate"], verify_mode: OpenSSL::SSL::VERIFY_PEER }
  if PLAN["key"]
    pem = File.read(PLAN["key"])
    ssl.update(cert: OpenSSL::X509::Certificate.new(pem), key: OpenSSL::PKey.read(pem))
  end
  ftp = Net::FTP.new(PLAN["host"], port: PLAN["port"], ssl: ssl, username: PLAN["login"], password: PLAN["password"],
                     passive: true, open_timeout: 60, read_timeout: 180)
  begin
    PLAN["steps"].each do |what, a, b|
      ftp.resume = what.start_with?("resume")
      case what
      when "put", "resume" then ftp.putbinaryfile(a, b)
      when "get", "resume-get" then ftp.getbinaryfile(a, b)
      when "rename" then ftp.rename(a, b)
      when "remove" then ftp.delete(a)
      when "mkdir" then ftp.mkdir(a)
      when "rmdir" then ftp.rmdir(a)
      when "list" then OUTCOME[:names] = ftp_names(ftp, a)
      end
      OUTCOME[:text] += ftp.last_response
    end
    ftp.quit
  ensure
    ftp.close
  end
end

def ftp_names(ftp, folder)
  names = ftp.nlst(folder).map { |name| File.basename(name) }
  told = ftp.mlsd(folder).map(&:pathname).reject { |name| %w[. ..].include?(name) }
  raise "NLST and MLSD differ: #{names} #{told}" unless names.sort == told.map { |name| name.dup.force_encoding(names.first.encoding) }.sort
  raise "LIST is shorter than NLST" if ftp.list(folder).size < names.size
  names
end

def by_sftp
  require "net/sftp"
  login = PLAN["key"] ? { keys: [PLAN["key"]], auth_methods: ["publickey"] } : { password: PLAN["password"], auth_methods: ["password"] }
  options = { port: PLAN["port"], user_known_hosts_file: PLAN["known_hosts"], global_known_hosts_file: [], verify_host_key: :always,
              non_interactive: true, keys_only: true, config: false, use_agent: false, timeout: 60, **login }
  Net::SFTP.start(PLAN["host"], PLAN["login"], **options) do |sftp|
    PLAN["steps"].each { |step| sftp_step(sftp, *step) }
  end
end

def sftp_step(sftp, what, a, b = nil)
  case what
  when "put" then sftp.upload!(a, b)
  when "put-tree" then sftp.upload!(a, b, mkdir: true)
  when "get" then sftp.download!(a, b)
  when "get-tree" then sftp.download!(a, b, recursive: true)
  when "resume" then continue(sftp, a, b)
  when "resume-get" then continue_fetching(sftp, a, b)
  when "rename" then sftp.rename!(a, b)
  when "remove" then sftp.remove!(a)
  when "mkdir" then sftp.mkdir!(a)
  when "rmdir" then sftp.rmdir!(a)
  when "list" then OUTCOME[:names] = sftp.dir.entries(a).map(&:name).reject { |name| %w[. ..].include?(name) }
  end
end

def continue(sftp, from, to)
  at = sftp.stat!(to).size
  handle = sftp.open!(to, "r+")
  File.open(from, "rb") do |here|
    here.pos = at
    while (block = here.read(32_768))
      sftp.write!(handle, at, block)
      at += block.bytesize
    end
  end
  sftp.close!(handle)
end

def continue_fetching(sftp, from, to)
  sftp.file.open(from, "r") do |there|
    there.pos = File.size(to)
    File.open(to, "ab") do |here|
      until (block = there.read(32_768).to_s).empty?
        here << block
      end
    end
  end
end

begin
  PLAN["protocol"] == "sftp" ? by_sftp : by_ftp
rescue StandardError => error
  OUTCOME[:ok] = false
  OUTCOME[:text] += "#{error.class}: #{error.message}"
end
OUTCOME[:text] = OUTCOME[:text].dup.force_encoding("UTF-8").scrub
OUTCOME[:names] = OUTCOME[:names].map { |name| name.dup.force_encoding("UTF-8").scrub }
puts JSON.generate(OUTCOME)
