// JSch and Apache Commons Net, as a Java program (an ETL tool, KNIME's older connectors) would call them. Standard input: protocol, host,
// port, login, password, private key, known hosts, certificate, each a line (blank: none); then one step a line, its words parted by tabs.
// Standard output: what the server said, then "OK" or "FAILED why"; the names of a list as "NAME …".

import com.jcraft.jsch.ChannelExec;
import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.Session;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.TrustManagerFactory;
import org.apache.commons.net.ProtocolCommandEvent;
import org.apache.commons.net.ProtocolCommandListener;
import org.apache.commons.net.ftp.FTP;
import org.apache.commons.net.ftp.FTPFile;
import org.apache.commons.net.ftp.FTPSClient;

public class Driver {
    static String protocol, host, login, password, key, knownHosts, certificate;
    static int port;
    static final List<String[]> steps = new ArrayList<>();

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        protocol = in.readLine();
        host = in.readLine();
        port = Integer.parseInt(in.readLine());
        login = in.readLine();
        password = in.readLine();
        key = in.readLine();
        knownHosts = in.readLine();
        certificate = in.readLine();
        for (String line; (line = in.readLine()) != null;) {
            steps.add(line.split("\t"));
        }
        System.setOut(new java.io.PrintStream(System.out, true, "UTF-8"));
        try {
            if (protocol.equals("sftp") || protocol.equals("scp")) {
                bySsh();
            } else {
                byFtp();
            }
            System.out.println("OK");
        } catch (Exception error) {
            System.out.println("FAILED " + error);
        }
        System.exit(0);
    }

    static void bySsh() throws Exception {
        JSch jsch = new JSch();
        jsch.setKnownHosts(knownHosts);
        if (!key.isEmpty()) {
            jsch.addIdentity(key);
        }
        Session session = jsch.getSession(login, host, port);
        if (key.isEmpty()) {
            session.setPassword(password);
        }
        session.setConfig("PreferredAuthentications", key.isEmpty() ? "password" : "publickey");
        session.connect(90000);
        try {
            if (protocol.equals("scp")) {
                for (String[] step : steps) {
                    scpStep(session, step);
                }
                return;
            }
            ChannelSftp sftp = (ChannelSftp) session.openChannel("sftp");
            sftp.connect(90000);
            for (String[] step : steps) {
                sftpStep(sftp, step);
            }
            sftp.disconnect();
        } finally {
            session.disconnect();
        }
    }

    // As the examples that come with JSch (ScpTo, ScpFrom) do it: a program on the server's side, and bytes.
    static void scpStep(Session session, String[] step) throws Exception {
        boolean sends = step[0].equals("put");
        String remote = "'" + (sends ? step[2] : step[1]).replace("'", "'\"'\"'") + "'";
        ChannelExec scp = (ChannelExec) session.openChannel("exec");
        scp.setCommand("scp " + (sends ? "-t " : "-f ") + remote);
        OutputStream out = scp.getOutputStream();
        InputStream in = scp.getInputStream();
        scp.connect(90000);
        if (sends) {
            acknowledged(in);
            byte[] data = Files.readAllBytes(Path.of(step[1]));
            out.write(("C0644 " + data.length + " " + Path.of(step[2]).getFileName() + "\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
            acknowledged(in);
            out.write(data);
            out.write(0);
            out.flush();
            acknowledged(in);
            out.close();
        } else {
            go(out);
            String line = line(in, in.read());
            go(out);
            byte[] data = in.readNBytes(Integer.parseInt(line.split(" ", 3)[1]));
            acknowledged(in);
            go(out);
            Files.write(Path.of(step[2]), data);
        }
        scp.disconnect();
    }

    static void go(OutputStream out) throws IOException {
        out.write(0);
        out.flush();
    }

    static void acknowledged(InputStream in) throws IOException {
        int first = in.read();
        if (first != 0) {
            throw new IOException(line(in, first));
        }
    }

    static String line(InputStream in, int first) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = first; next > 0 && next != '\n'; next = in.read()) {
            line.write(next);
        }
        String text = line.toString(StandardCharsets.UTF_8);
        if (!text.startsWith("C")) {
            throw new IOException("the server said: " + text);
        }
        return text;
    }

    static void sftpStep(ChannelSftp sftp, String[] step) throws Exception {
        switch (step[0]) {
            case "put" -> sftp.put(step[1], literally(step[2]));
            case "get" -> sftp.get(literally(step[1]), step[2]);
            case "resume" -> sftp.put(step[1], step[2], ChannelSftp.RESUME);
            case "resume-get" -> sftp.get(step[1], step[2], null, ChannelSftp.RESUME);
            case "rename" -> sftp.rename(step[1], step[2]);
            case "remove" -> sftp.rm(literally(step[1]));
            case "mkdir" -> sftp.mkdir(step[1]);
            case "rmdir" -> sftp.rmdir(step[1]);
            case "list" -> {
                for (Object entry : sftp.ls(step[1])) {
                    System.out.println("NAME " + ((ChannelSftp.LsEntry) entry).getFilename());
                }
            }
            default -> throw new IOException("no step: " + step[0]);
        }
    }

    // JSch reads names as patterns.
    static String literally(String path) {
        return path.replaceAll("([*?\\\\])", "\\\\$1");
    }

    static void byFtp() throws Exception {
        FTPSClient ftp = new FTPSClient("TLS", protocol.equals("ftps"));
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        try (InputStream pem = new FileInputStream(certificate)) {
            trusted.setCertificateEntry("server", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trusted);
        ftp.setTrustManager(managers.getTrustManagers()[0]);
        ftp.setControlEncoding("UTF-8");
        ftp.setConnectTimeout(90000);
        ftp.addProtocolCommandListener(new ProtocolCommandListener() {
            public void protocolCommandSent(ProtocolCommandEvent event) {}

            public void protocolReplyReceived(ProtocolCommandEvent event) {
                System.out.print(event.getMessage());
            }
        });
        ftp.connect(host, port);
        try {
            sure(ftp, ftp.login(login, password));
            ftp.execPBSZ(0);
            ftp.execPROT("P");
            ftp.enterLocalPassiveMode();
            sure(ftp, ftp.setFileType(FTP.BINARY_FILE_TYPE));
            for (String[] step : steps) {
                ftpStep(ftp, step);
            }
            ftp.logout();
        } finally {
            ftp.disconnect();
        }
    }

    static void sure(FTPSClient ftp, boolean done) throws IOException {
        if (!done) {
            throw new IOException(ftp.getReplyString());
        }
    }

    static void ftpStep(FTPSClient ftp, String[] step) throws Exception {
        switch (step[0]) {
            case "put" -> {
                try (InputStream here = new FileInputStream(step[1])) {
                    sure(ftp, ftp.storeFile(step[2], here));
                }
            }
            case "get" -> {
                try (OutputStream here = new FileOutputStream(step[2])) {
                    sure(ftp, ftp.retrieveFile(step[1], here));
                }
            }
            case "resume" -> {
                long had = Long.parseLong(ftp.getSize(step[2]));
                try (InputStream here = new FileInputStream(step[1])) {
                    here.skipNBytes(had);
                    sure(ftp, ftp.appendFile(step[2], here));
                }
            }
            case "resume-get" -> {
                try (RandomAccessFile there = new RandomAccessFile(step[2], "rw")) {
                    ftp.setRestartOffset(there.length());
                }
                try (OutputStream here = new FileOutputStream(step[2], true)) {
                    sure(ftp, ftp.retrieveFile(step[1], here));
                }
            }
            case "rename" -> sure(ftp, ftp.rename(step[1], step[2]));
            case "remove" -> sure(ftp, ftp.deleteFile(step[1]));
            case "mkdir" -> sure(ftp, ftp.makeDirectory(step[1]));
            case "rmdir" -> sure(ftp, ftp.removeDirectory(step[1]));
            case "list" -> {
                for (FTPFile entry : ftp.listFiles(step[1])) {
                    System.out.println("NAME " + entry.getName());
                }
            }
            default -> throw new IOException("no step: " + step[0]);
        }
    }
}
