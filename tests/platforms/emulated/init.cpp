// SPDX-License-Identifier: MIT
// The only process of the emulated machine besides the test program: runs /test with the lines of
// /arguments, writes its exit code to the serial port and switches Bochs off.
#include <fcntl.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

int main() {
    for (const char* folder : {"/dev", "/proc", "/tmp"}) mkdir(folder, 0755);
    mount("none", "/dev", "devtmpfs", 0, "");
    mount("none", "/proc", "proc", 0, "");
    mount("none", "/tmp", "tmpfs", 0, "");
    const int port = open("/dev/ttyS0", O_RDWR | O_NOCTTY);
    for (const int stream : {0, 1, 2}) dup2(port, stream);

    std::vector<std::string> lines{"/test"};
    std::ifstream file("/arguments");
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    std::vector<char*> arguments;
    for (std::string& line : lines) arguments.push_back(line.data());
    arguments.push_back(nullptr);

    const pid_t child = fork();
    if (child == 0) {
        std::ifstream isa("/isa");
        if (std::string name; std::getline(isa, name)) setenv("NYSTROMFORMER_ISA", name.c_str(), 1);
        execv("/test", arguments.data());
        _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    std::printf("== exit %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    std::fflush(stdout);
    sleep(1);  // the serial port is slower than this program
    iopl(3);
    for (const char letter : std::string("Shutdown"))
        outb(static_cast<unsigned char>(letter), 0x8900);
    for (;;) pause();
}
