export const usage = `USAGE:
    bpftrace [options] filename
    bpftrace [options] - <stdin input>
    bpftrace [options] -e 'program'

OPTIONS:
    -B MODE        output buffering mode ('full', 'line' or 'none')
    -f FORMAT      output format ('text', 'json')
    -o FILE        redirect the script's output to FILE
    -e 'program'   execute this program
    -h, --help     show this help message
    -I DIR         add a directory to the include search path (accepted: kernel types come from BTF)
    --include FILE add a file to include before the program
    -l, --list [SEARCH|FILE]
                   list probes that match, or those of a program (-e)
    -p PID         filter actions and attach to probes in PID
    -c 'CMD'       run CMD and trace it; end when it ends
    --unsafe       allow functions that can change the system
    -q             keep messages quiet
    --info         print what this kernel supports
    -k             warn of helpers that fail
    -V, --version  the version
    --no-warnings  no warnings
    --fmt          print the program, formatted
    --test         run the test: probes
    --bench        run the bench: probes
    --dry-run      stop after attaching

TROUBLESHOOTING OPTIONS:
    -v             verbose messages
    -d STAGE       print what a stage makes of the program: ast, ir, dis
    --probe-filter REGEX
                   attach only to probes whose names match
    --traceable-functions FILE
                   names of the functions that can be traced
    --emit-elf FILE
                   write the programs as a BPF object

EXAMPLES:
bpftrace -l '*sleep*'
    list probes containing "sleep"
bpftrace -e 'tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }'
    count system calls by the name of the process
`
