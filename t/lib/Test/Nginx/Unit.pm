package Test::Nginx::Unit;

# (C) ngx_http_webhook_module contributors

# Compiles C of t/unit: programs that test one file of the module alone, and
# libraries that are preloaded into nginx.

###############################################################################

=head1 SYNOPSIS

	use Test::Nginx::Unit;

	my $unit = Test::Nginx::Unit->new('json', '-lyajl');

	$unit->run(
		utf8 => 'UTF-8',
		...
	);

=cut

###############################################################################

use warnings;
use strict;

###############################################################################

use Cwd qw/ abs_path /;
use File::Basename qw/ dirname /;
use File::Temp qw/ tempdir /;
use Test::More qw//;

###############################################################################

my $root = abs_path(dirname(__FILE__) . '/../../../..');
my $cc = $ENV{CC} || 'cc';

=head1 METHODS

=over

=item new(name, libraries)

The program t/unit/name.c.  Skips the file if it cannot be compiled here.

=item run(test => description, ...)

Plans and runs the tests: that the program compiles, and each that it knows,
which is called with a seed and prints "ok", and lines with # that
TEST_NGINX_VERBOSE shows.  TEST_NGINX_SEED repeats what is random.

=item output(test)

What the program prints.

=cut

sub new {
	my ($class, $name, @libraries) = @_;

	has_compiler();

	# where the module was built for some nginx, its headers are

	my $sanitize = $ENV{TEST_NGINX_SANITIZE};

	my ($obj) = sort { (stat $b)[9] <=> (stat $a)[9] }
		grep { !$sanitize == !m!/obj-sanitize/! }
		glob("$root/build/{,*/}obj-*/ngx_auto_config.h");

	Test::More::plan(skip_all =>
		'no nginx headers, the module was not built here')
		unless defined $obj;

	$obj =~ s!/[^/]+$!!;

	return bless {
		_name => $name,
		_obj => $obj,
		_libraries => \@libraries,
		_sanitize => $sanitize,
		_dir => tempdir("nginx-$name-XXXXXXXXXX", TMPDIR => 1,
			CLEANUP => 1),
		_seed => defined $ENV{TEST_NGINX_SEED}
			? $ENV{TEST_NGINX_SEED} : int(rand(1 << 30)),
	}, $class;
}

sub run {
	my ($self, %tests) = @_;

	Test::More::plan(tests => 1 + keys %tests);

	Test::More::is($self->_compile(), '', 'compiled')
		or Test::More::BAIL_OUT("$self->{_name}.c does not compile");

	Test::More::note("seed $self->{_seed}");

	foreach my $test (sort keys %tests) {
		my @lines = split /\n/, $self->output($test);

		if ($ENV{TEST_NGINX_VERBOSE}) {
			Test::More::diag($_) foreach grep { /^#/ } @lines;
		}

		Test::More::is(join("\n", grep { !/^#/ } @lines), 'ok',
			$tests{$test})
			or Test::More::diag("TEST_NGINX_SEED=$self->{_seed}");
	}
}

sub output {
	my ($self, $test) = @_;

	# what the programs allocate is nobody's at the end

	local $ENV{ASAN_OPTIONS} = join ':', grep { defined }
		$ENV{ASAN_OPTIONS}, 'detect_leaks=0';

	my $text = `$self->{_dir}/$self->{_name} $self->{_seed} $test 2>&1`;

	return $text . ($? & 127 ? 'signal ' . ($? & 127) : '');
}

sub _compile {
	my ($self) = @_;

	my ($obj, $name) = @$self{qw/ _obj _name /};

	my @includes = map { "-I$_" } (map { "$obj/tree/src/$_" } qw! core
		event event/modules event/quic os/unix !), $obj, "$root/src",
		glob("$root/src/*/");

	my @flags = ('-g', '-Wno-unused-parameter');
	push @flags, '-fsanitize=address,undefined',
		'-fno-sanitize-recover=undefined' if $self->{_sanitize};

	return compile($name, "$self->{_dir}/$name", @flags, @includes,
		@{$self->{_libraries}});
}

=back

=head1 FUNCTIONS

=over

=item has_compiler()

Skips the file if there is none.

=item compile(name, output, options)

Compiles t/unit/name.c, and returns what the compiler says: nothing, if all is
well.

=item compile_library(name, output)

The same for a library that is to be preloaded.

=back

=cut

sub has_compiler {
	Test::More::plan(skip_all => 'no C compiler')
		if system("$cc --version >/dev/null 2>&1");
}

sub compile {
	my ($name, $output, @options) = @_;

	return scalar `$cc -O2 -Wall -Wextra -Werror -o $output \\
		$root/t/unit/$name.c @options 2>&1`;
}

sub compile_library {
	my ($name, $output) = @_;
	return compile($name, $output, '-shared', '-fPIC', '-ldl');
}

###############################################################################

1;

###############################################################################
