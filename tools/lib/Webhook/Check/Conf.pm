package Webhook::Check::Conf;

# (C) ngx_http_webhook_module contributors

# The live configuration: finds nginx, has it test its configuration, and
# parses what that is, with all that is included, into a tree of directives.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ read_live quote absolute named /;

use Cwd qw/ getcwd /;
use File::Basename qw/ dirname /;

use Webhook::Check::Output qw/ CONFIGURATION NO_NGINX %opt fail warning /;
use Webhook::Check::System qw/ run run_apart slurp /;

###############################################################################

# text of each file, as nginx has read them; without the rights that its own
# test needs, they are read here

sub read_live {
	my ($nginx, $version) = nginx();
	my ($conf, $prefix) = ($opt{conf}, undef);

	my ($status, $args) = run($nginx, '-V');

	($prefix) = $args =~ /--prefix=(\S+)/;
	($conf) = $args =~ /--conf-path=(\S+)/ unless defined $conf;

	$prefix = '/usr/local/nginx' unless defined $prefix;
	$conf = 'conf/nginx.conf' unless defined $conf;
	$conf = "$prefix/$conf" if $conf !~ m!^/! && !defined $opt{conf};
	$conf = getcwd() . "/$conf" if $conf !~ m!^/!;

	my %live = (nginx => $nginx, version => $version, args => $args,
		prefix => $prefix, conf => $conf, dir => dirname($conf));

	my ($out, $err);
	($status, $out, $err) = run_apart($nginx, '-T', '-c', $conf);

	$live{messages} = $err;

	if ($status == 0) {
		my $file;

		foreach my $line (split /^/, $out) {
			if ($line =~ /^# configuration file (.*):$/) {
				$file = $1;
				$live{files}{$file} = '';

			} elsif (defined $file) {
				$live{files}{$file} .= $line;
			}
		}

	} elsif ($> != 0 && $err =~ /\(13: Permission denied\)/
		&& $err !~ /secret|\Q$conf\E" failed|PEM|include/ && -r $conf)
	{
		warning('"nginx -t" lacks rights that this user does not have,'
			. ' it is not known whether nginx accepts its'
			. ' configuration');

	} else {
		fail(CONFIGURATION, "the configuration is refused\n$err");
	}

	$live{tree} = parse_file(\%live, $conf);

	return \%live;
}

sub nginx {
	my $nginx = $opt{nginx};

	if (!defined $nginx) {
		($nginx) = grep { -x } map { "$_/nginx" } split(/:/, $ENV{PATH}),
			qw{ /usr/sbin /usr/local/sbin /usr/local/nginx/sbin };
	}

	fail(NO_NGINX, 'nginx is not found, use --nginx')
		unless defined $nginx && -x $nginx;

	my ($status, $text) = run($nginx, '-v');

	fail(NO_NGINX, "$nginx does not run") unless $status == 0
		and $text =~ m!/(\d+)\.(\d+)\.(\d+)!;

	return ($nginx, $1 * 1000000 + $2 * 1000 + $3);
}

# [ { name, args, raw, file, line, block } ]: args are the words, raw is how
# they are written; what is included stands where it is included

sub parse_file {
	my ($live, $file, $depth) = @_;

	my $text = $live->{files} ? $live->{files}{$file} : slurp($file);

	fail(CONFIGURATION, "$file cannot be read")
		if !defined $text || ($depth || 0) > 50;

	my $state = { text => $text, line => 1, file => $file, live => $live,
		depth => ($depth || 0) };

	return parse_block($state);
}

sub parse_block {
	my ($s) = @_;

	my (@nodes, @args, @raw, $line);

	while ($s->{text} =~ /\G(\s*)(?:\#[^\n]*|([;{}])
		|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'
			|(?:\$\{|\\.|[^\s;{\\])(?:\$\{|\\.|[^\s;{\\])*)
		|\z)/gcsx)
	{
		my ($blank, $mark, $word) = ($1, $2, $3);
		my $all = $&;

		$s->{line} += $blank =~ tr/\n//;

		if (defined $word) {
			$line = $s->{line} unless @args;
			$s->{line} += $word =~ tr/\n//;

			push @raw, $word;
			push @args, unquote($word);

		} elsif (defined $mark && $mark eq '}') {
			return \@nodes;

		} elsif (defined $mark) {
			my $node = { name => $args[0], args => [ @args[1 .. $#args] ],
				raw => [ @raw[1 .. $#raw] ], file => $s->{file},
				line => $line };

			if ($mark eq '{' && $args[0] =~ /_by_lua_block$/) {
				skip_lua($s);
				$node->{block} = [];

			} elsif ($mark eq '{') {
				$node->{block} = parse_block($s);
			}

			push @nodes, $node->{name} eq 'include' && !$node->{block}
				? included($s, $node) : $node;

			(@args, @raw) = ();

		} elsif ($all eq '') {
			last;
		}
	}

	return \@nodes;
}

sub unquote {
	my ($word) = @_;

	my %escapes = (t => "\t", r => "\r", n => "\n", '"' => '"', "'" => "'",
		'\\' => '\\', ' ' => ' ');

	$word =~ s/^(["'])(.*)\1$/$2/s;
	$word =~ s/\\(.)/defined $escapes{$1} ? $escapes{$1} : "\\$1"/gse;

	return $word;
}

sub quote {
	my ($text) = @_;

	return $text if $text =~ /^[\w\/.:=,\$\@*+~^()|-]+$/;

	$text =~ s/([\\"])/\\$1/g;
	return "\"$text\"";
}

sub skip_lua {
	my ($s) = @_;

	my $depth = 1;

	while ($depth && $s->{text} =~ /\G(--[^\n]*|"(?:[^"\\\n]|\\.)*"
		|'(?:[^'\\\n]|\\.)*'|[{}]|[^-"'{}]+|.)/gcsx)
	{
		my $token = $1;

		$s->{line} += $token =~ tr/\n//;
		$depth += $token eq '{' ? 1 : $token eq '}' ? -1 : 0;
	}
}

sub included {
	my ($s, $node) = @_;

	my $live = $s->{live};
	my $name = $node->{args}[0];
	my @files;

	$name = absolute($live, $name);

	if ($live->{files}) {
		my $re = join '', map { $_ eq '*' ? '(?!\.)[^/]*' : $_ eq '?'
			? '[^/]' : /^\[/ ? s/^\[!/[^/r : quotemeta }
			$name =~ /(\[[^\]]+\]|.)/g;

		@files = sort grep { /^$re$/ } keys %{$live->{files}};

	} else {
		@files = sort glob($name =~ s/([\s\\])/\\$1/gr);
	}

	return map { @{parse_file($live, $_, $s->{depth} + 1)} } @files;
}

# as nginx takes the names of files in a directive

sub absolute {
	my ($live, $file) = @_;
	return $file =~ m!^/! ? $file : "$live->{dir}/$file";
}

sub named {
	my ($node, $name) = @_;
	return grep { $_->{name} eq $name } @{$node->{block} || []};
}

###############################################################################

1;
