// Loads an object with libbpf and prints what became of it, for the tests that compare.
//   libbpf-instructions FILE [BTF of another kernel]
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_object_open_opts, options);
	struct bpf_program *program;
	struct bpf_object *object;
	struct bpf_map *map;
	int error;

	if (argc < 2)
		return 2;
	libbpf_set_print(quiet);
	options.btf_custom_path = argv[2];
	object = bpf_object__open_file(argv[1], &options);
	if (!object)
		return 1;
	bpf_object__for_each_map(map, object)
		printf("definition %s %u %u %u %u %u\n", bpf_map__name(map), bpf_map__type(map), bpf_map__key_size(map),
		       bpf_map__value_size(map), bpf_map__max_entries(map), bpf_map__map_flags(map));
	bpf_object__for_each_program(program, object)
		printf("section %s %u %u %s\n", bpf_program__name(program), bpf_program__type(program),
		       bpf_program__expected_attach_type(program), bpf_program__section_name(program));
	error = bpf_object__load(object);
	printf("loaded %d\n", error);
	bpf_object__for_each_map(map, object)
		printf("map %s %d\n", bpf_map__name(map), bpf_map__fd(map));
	bpf_object__for_each_program(program, object) {
		const struct bpf_insn *code = bpf_program__insns(program);
		size_t count = bpf_program__insn_cnt(program), index;

		printf("program %s ", bpf_program__name(program));
		for (index = 0; index < count * sizeof(*code); index++)
			printf("%02x", ((const unsigned char *)code)[index]);
		printf("\n");
	}
	bpf_object__close(object);
	return 0;
}
