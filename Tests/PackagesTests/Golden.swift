/// Packages and skeletons, written for these tests; the fields are those of eunomia-bpf's format.
enum Golden {
  /// Every field, none with its default where that can be.
  static let everyField = #"""
    {
      "bpf_skel": {
        "obj_name": "every_bpf",
        "data_sections": [
          {
            "name": ".rodata",
            "variables": [
              {
                "name": "failed",
                "type": "bool",
                "value": true,
                "description": "Only what failed",
                "cmdarg": {
                  "default": false,
                  "long": "failed",
                  "short": "x",
                  "help": "show only failed opens"
                },
                "offset": 4,
                "size": 1
              },
              {
                "name": "limit",
                "type": "unsigned long",
                "value": 18446744073709551615
              }
            ]
          }
        ],
        "maps": [
          {
            "name": "every_bp.rodata",
            "ident": "rodata",
            "mmaped": true,
            "export_config": "no_export",
            "intepreter": "default_struct"
          },
          {
            "name": "hists",
            "ident": "hists",
            "mmaped": false,
            "sample": {
              "interval": 1000,
              "type": "log2_hist",
              "unit": "usecs",
              "clear_map": true
            },
            "export_config": "no_export",
            "intepreter": "default_struct"
          },
          {
            "name": "members",
            "ident": "members",
            "mmaped": false,
            "export_config": {
              "custom_members": [
                {
                  "name": "pid",
                  "offset": 4,
                  "btf_type_id": 2
                }
              ]
            },
            "intepreter": "default_struct"
          },
          {
            "name": "stacks",
            "ident": "stacks",
            "mmaped": false,
            "export_config": {
              "btf_type_id": 9
            },
            "intepreter": {
              "stack_trace": {
                "field_map": {
                  "pid": "tgid",
                  "kstack": "kernel"
                },
                "with_symbols": false
              }
            }
          },
          {
            "name": "values",
            "ident": "values",
            "mmaped": false,
            "export_config": "default",
            "intepreter": "default_struct"
          }
        ],
        "progs": [
          {
            "name": "drop",
            "attach": "xdp",
            "link": true,
            "ifindex": 1,
            "flags": 0,
            "xdpopts": {
              "old_prog_fd": 0
            }
          },
          {
            "name": "shape",
            "attach": "tc",
            "link": false,
            "tchook": {
              "ifindex": 1,
              "attach_point": "BPF_TC_EGRESS"
            },
            "tcopts": {
              "handle": 1,
              "priority": 1
            }
          }
        ],
        "doc": {
          "version": "0.1",
          "brief": "Every field there is.",
          "details": "In one file.",
          "description": "For tests"
        }
      },
      "export_types": [
        {
          "name": "event",
          "members": [
            {
              "name": "pid",
              "type": "unsigned int"
            },
            {
              "name": "comm",
              "type": "char[16]"
            }
          ],
          "size": 20,
          "type_id": 17
        }
      ],
      "perf_buffer_pages": 128,
      "perf_buffer_time_ms": 20,
      "poll_timeout_ms": -1,
      "debug_verbose": true,
      "print_header": true,
      "enable_multiple_export_types": true,
      "eunomia_version": "0.3.4"
    }

    """#

  /// The same in YAML.
  static let everyFieldYAML = #"""
    bpf_skel:
      obj_name: every_bpf
      data_sections:
        - name: .rodata
          variables:
            - name: failed
              type: bool
              value: true
              description: Only what failed
              cmdarg:
                default: false
                long: failed
                short: x
                help: show only failed opens
              offset: 4
              size: 1
            - name: limit
              type: unsigned long
              value: 18446744073709551615
      maps:
        - name: every_bp.rodata
          ident: rodata
          mmaped: true
          export_config: no_export
          intepreter: default_struct
        - name: hists
          ident: hists
          mmaped: false
          sample:
            interval: 1000
            type: log2_hist
            unit: usecs
            clear_map: true
          export_config: no_export
          intepreter: default_struct
        - name: members
          ident: members
          mmaped: false
          export_config:
            custom_members:
              - name: pid
                offset: 4
                btf_type_id: 2
          intepreter: default_struct
        - name: stacks
          ident: stacks
          mmaped: false
          export_config:
            btf_type_id: 9
          intepreter:
            stack_trace:
              field_map:
                pid: tgid
                kstack: kernel
              with_symbols: false
        - name: values
          ident: values
          mmaped: false
          export_config: default
          intepreter: default_struct
      progs:
        - name: drop
          attach: xdp
          link: true
          ifindex: 1
          flags: 0
          xdpopts:
            old_prog_fd: 0
        - name: shape
          attach: tc
          link: false
          tchook:
            ifindex: 1
            attach_point: BPF_TC_EGRESS
          tcopts:
            handle: 1
            priority: 1
      doc:
        version: "0.1"
        brief: Every field there is.
        details: In one file.
        description: For tests
    export_types:
      - name: event
        members:
          - name: pid
            type: unsigned int
          - name: comm
            type: "char[16]"
        size: 20
        type_id: 17
    perf_buffer_pages: 128
    perf_buffer_time_ms: 20
    poll_timeout_ms: -1
    debug_verbose: true
    print_header: true
    enable_multiple_export_types: true
    eunomia_version: "0.3.4"

    """#

  /// What is written when nothing is set, in one line.
  static let defaults =
    #"{"bpf_skel":{"obj_name":"x","data_sections":[],"maps":[],"progs":[]},"export_types":[],"#
    + #""perf_buffer_pages":64,"perf_buffer_time_ms":10,"poll_timeout_ms":100,"debug_verbose":false,"#
    + #""print_header":false,"enable_multiple_export_types":false}"#

  /// As a tool writes it that sorts members by name and leaves out what has its default.
  static let otherTool = #"""
    {"bpf_skel":{"data_sections":[{"name":".rodata","variables":[{"cmdarg":{"short":"p"},"name":"wanted_pid",
    "type":"pid_t"}]},{"name":".bss","variables":[{"name":"__dummy","size":8,"type":"struct event *"}]}],
    "maps":[{"ident":"rb","name":"rb"},{"ident":"rodata","mmaped":true,"name":"other_bp.rodata"}],
    "obj_name":"other_bpf","progs":[{"attach":"xdp","flags":0,"ifindex":1,"link":true,"name":"pass",
    "xdpopts":{"old_prog_fd":0}}]},"eunomia_version":"0.3.3","export_types":[{"members":[{"name":"pid","type":"int"}],
    "name":"event","size":4,"type_id":3}]}
    """#

  /// An object of 38 bytes, deflated by another tool.
  static let package =
    #"{"bpf_object":"eNqrd/Vx01HIL1Ioz0gsUSguScxLKVZIA/IzSxQy8xQSFUpSi0u4APqTDMs=","bpf_object_size":38,"#
    + #""meta":{"bpf_skel":{"data_sections":[],"maps":null,"obj_name":"golden_bpf","progs":null},"#
    + #""eunomia_version":"0.3.2"}}"#
}
