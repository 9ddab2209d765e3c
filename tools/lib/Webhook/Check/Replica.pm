package Webhook::Check::Replica;

# (C) ngx_http_webhook_module contributors

# The configuration of the private nginx: what is taken over of the live one,
# and which probes stand beside it.

###############################################################################

use warnings;
use strict;

use Exporter qw/ import /;

our @EXPORT_OK = qw/ write_conf warn_of_variables /;

use Webhook::Check::Conf qw/ named quote /;
use Webhook::Check::Output qw/ NO_NGINX %opt fail leave_out warning /;
use Webhook::Check::Scheme qw/ scheme signed_text variables /;
use Webhook::Check::Secret qw/ secret_templates /;

# what is taken over from the live configuration, beside what begins with
# "webhook_": what decides where a request goes, and how it is read

my %BLOCKS = map { $_ => 1 } qw/
	http server location limit_except if map geo split_clients
	webhook_scheme
/;

my %VERBATIM = map { $_ => 1 } qw/ map geo split_clients webhook_scheme /;

my %TAKEN = map { $_ => 1 } qw/
	server_name set break client_max_body_size client_body_buffer_size
	client_body_in_file_only client_body_in_single_buffer
	client_header_buffer_size large_client_header_buffers
	ignore_invalid_headers underscores_in_headers merge_slashes
	map_hash_bucket_size map_hash_max_size server_names_hash_bucket_size
	server_names_hash_max_size variables_hash_bucket_size
	variables_hash_max_size
/;

my %LEFT = map { $_ => 1 } qw/
	webhook_dry_run webhook_monitor webhook_diagnose webhook_store
	webhook_tolerance webhook_secret webhook_reject_status
/;

# values that are others here than behind the live nginx's own listeners

my $DIFFER = qr/^(?:scheme|https|remote_(?:addr|port)|server_(?:addr|port)
	|binary_remote_addr|proxy_protocol_\w+|realip_\w+|ssl_\w+|connection\w*
	|proxy_add_x_forwarded_for|geoip2?_\w+)$/x;

###############################################################################

sub write_conf {
	my ($private) = @_;

	my ($live, $dir) = @$private{qw/ live dir /};

	$private->{env} = {};
	$private->{sockets} = {};
	$private->{out} = [];

	my @main = grep { $_->{name} ne 'http' } @{$live->{tree}};

	put($private, 'daemon off;', 'master_process off;', "pid $dir/pid;",
		"error_log $dir/error.log;", $> ? () : 'user root;');

	foreach my $node (@main) {
		if ($node->{name} eq 'load_module'
			&& $node->{args}[0] =~ /ngx_http_webhook_module[^\/]*$/)
		{
			my $file = $node->{args}[0];
			$file = "$live->{prefix}/$file" if $file !~ m!^/!;
			put($private, 'load_module ' . quote($file) . ';');

		} elsif ($node->{name} eq 'env') {
			put($private, source($node));

		} else {
			leave_out($node->{name});
		}
	}

	put($private, 'events { }', 'http {', 'default_type text/plain;',
		'keepalive_timeout 0;', 'lingering_close off;', "root $dir/none;",
		"client_body_temp_path $dir/body;");

	foreach my $module (qw/ proxy fastcgi uwsgi scgi /) {
		put($private, "${module}_temp_path $dir/$module;")
			unless $live->{args} =~ /--without-http_${module}_module/;
	}

	put($private, "map \$request_method \$$_ { default ''; }")
		foreach sort keys %{$private->{missing}};

	put_formats($private);
	put($private, "access_log $dir/verdicts check;");
	foreach my $http (grep { $_->{name} eq 'http' } @{$live->{tree}}) {
		put_block($private, $http, 'http', 0);
		put_block($private, $http, 'servers', 0);
		put_block($private, $http, 'servers', 1);
	}

	put_probe($private, $_) foreach grep { !$_->{off} } @{$private->{probes}};

	put($private, "server { listen unix:$dir/ready.sock; }", '}');
	$private->{ready} = "$dir/ready.sock";

	open my $fh, '>:raw', "$dir/nginx.conf"
		or fail(NO_NGINX, "$dir/nginx.conf cannot be written: $!");
	print $fh map { "$_\n" } @{$private->{out}};
	close $fh;
}

sub put {
	my ($private, @lines) = @_;

	# a line is a line, for what nginx says of it

	push @{$private->{out}}, map { split /\n/ } @lines;
}

sub source {
	my ($node) = @_;

	my $text = join ' ', $node->{name}, @{$node->{raw}};

	return "$text;" unless $node->{block};
	return join "\n", "$text {", map({ source($_) } @{$node->{block}}), '}';
}

# what is said of a request in a place

sub put_formats {
	my ($private) = @_;

	my $format = '{"place":%s,"vars":{%s},"status":"$webhook_status",'
		. '"reason":"$webhook_reason","age":"$webhook_age",'
		. '"secret":"$webhook_secret_index","id":"$webhook_event_id",'
		. '"type":"$webhook_event_type","code":"$status"}';

	put($private, sprintf "log_format check escape=json '$format';",
		'null', '');

	foreach my $place (grep { $_->{verify} } @{$private->{live}{places}}) {
		my $scheme = scheme($private->{live}, $place->{scheme});

		my @names = sort keys %{{ map { $_ => 1 }
			grep { !/^(?:http|webhook|cookie)_|^request_body$/ }
			variables(signed_text($scheme)),
			map { variables($_) } secret_templates($place) }};

		put($private, sprintf "log_format check_$place->{n} escape=json"
			. " '$format';", $place->{n},
			join ',', map { "\"$_\":\"\${$_}\"" } @names);
	}
}

sub put_block {
	my ($private, $node, $kind, $any) = @_;

	foreach my $d (@{$node->{block}}) {
		my $name = $d->{name};

		if ($kind eq 'http' && $name eq 'server'
			|| $kind eq 'servers' && $name ne 'server')
		{
			next;
		}

		if ($name eq 'listen') {
			next;

		} elsif ($BLOCKS{$name} && $d->{block}) {
			if ($VERBATIM{$name}) {
				put($private, source($d));
				next;
			}

			put($private, join(' ', $name, @{$d->{raw}}) . ' {');
			put_listen($private, $d, $any) if $name eq 'server';

			put($private, "access_log $private->{dir}/verdicts check"
				. ($d->{place}{verify} ? "_$d->{place}{n};" : ';'))
				if $d->{place};

			put($private, secret_line($private,
				"file:$opt{'secret-file'}"))
				if is_target($private->{live}, $d);

			put_block($private, $d, '', $any);
			put($private, '}');

		} elsif ($name eq 'webhook_tolerance' && !$any) {
			put($private, source($d));

		} elsif ($name eq 'webhook_secret') {
			put($private, secret_line($private, @{$d->{args}}))
				unless is_target($private->{live}, $node);

		} elsif ($name eq 'webhook_dedup_zone') {
			put($private, join(' ', $name, map { quote($_) }
				grep { !/^(?:state|store)=/ } @{$d->{args}}) . ';');

		} elsif ($TAKEN{$name} || $name =~ /^webhook_/ && !$LEFT{$name}) {
			put($private, source($d));

		} else {
			leave_out($name);
		}
	}
}

# the same server listens twice: by its window, and with any timestamp

sub put_listen {
	my ($private, $server, $any) = @_;

	put($private, 'webhook_tolerance off;') if $any;

	my @listen = named($server, 'listen');
	@listen = { args => [ 80 ] } unless @listen;

	my %seen;

	foreach my $listen (@listen) {
		my ($address, @more) = @{$listen->{args}};

		$address =~ s/^(?:\*|0\.0\.0\.0)://;
		$address .= ':80' if $address =~ /^[a-z.]+$|^[\d.]+\.\d+$|\]$/i;
		next if $seen{$address}++;

		my $sockets = $private->{sockets};
		my $n = $sockets->{$address};

		$n = $sockets->{$address} = { n => scalar keys %$sockets }
			unless $n;
		$n->{ssl} = 1 if grep { $_ eq 'ssl' } @more;

		my ($default) = grep { /^default(?:_server)?$/ } @more;

		put($private, "listen unix:$private->{dir}/$n->{n}."
			. ($any ? 'any' : 'own') . '.sock'
			. ($default ? ' default_server' : '') . ';');
	}
}

# where the secrets of --secret-file take the place of others

sub is_target {
	my ($live, $node) = @_;
	return $live->{target} && $live->{target}{node} == $node;
}

sub secret_line {
	my ($private, @sources) = @_;

	foreach (@sources) {
		s!^(file|pem|jwks):(?\!/)!$1:$private->{live}{dir}/!;
	}

	return join(' ', 'webhook_secret', map { quote($_) } @sources) . ';';
}

# a place of its own for another scheme, or another form of the secret, whose
# texts go by way of the environment

sub put_probe {
	my ($private, $probe) = @_;

	my $n = $probe->{n};
	my $scheme = $probe->{scheme};

	$probe->{from} = @{$private->{out}} + 1;

	if ($probe->{lines} ne '') {
		put($private, "webhook_scheme webhook_check_$n from=$scheme {",
			$probe->{lines}, '}');
		$scheme = "webhook_check_$n";
	}

	my @names;

	foreach my $text (@{$probe->{secrets}}) {
		if (ref $text) {
			push @names, quote($$text);
			next;
		}

		my $name = "WEBHOOK_CHECK_${n}_" . scalar @names;

		$private->{env}{$name} = $text;
		push @names, "env:$name";
	}

	put($private, 'server {', "listen unix:$private->{dir}/probe.$n.sock;");
	put($private, 'server_name ' . quote($probe->{server_name}) . ';')
		if defined $probe->{server_name} && length $probe->{server_name};
	put($private, 'client_max_body_size 0;', 'location / {',
		"webhook_verify $scheme;", "webhook_secret @names;",
		'webhook_tolerance off;', '}', '}');

	$probe->{to} = @{$private->{out}};
	$probe->{socket} = "probe.$n.sock";
}

# what is signed, or is the secret, by way of variables that differ here

sub warn_of_variables {
	my ($live, $place) = @_;

	my $scheme = scheme($live, $place->{scheme});
	my @names = (variables(signed_text($scheme)),
		map { variables($_) } secret_templates($place));

	my %from;

	foreach my $node (map { @{$_->{block}} }
		grep { $_->{name} eq 'http' } @{$live->{tree}})
	{
		next unless $VERBATIM{$node->{name}} && $node->{name} !~ /^webhook/;

		my @args = @{$node->{args}};
		my $name = pop @args;
		my @of = map { variables($_) } @args,
			map { @{$_->{args}} } @{$node->{block}};

		@of = ('remote_addr') if $node->{name} eq 'geo' && !@args;

		$name =~ s/^\$//;
		push @{$from{$name}}, @of;
	}

	foreach my $level (@{$place->{levels}}) {
		push @{$from{$_->{args}[0] =~ s/^\$//r}}, variables($_->{args}[1])
			foreach named($level, 'set');
	}

	my %seen;

	while (defined(my $name = shift @names)) {
		next if $seen{$name}++;

		warning("\$$name, which decides here, is another one in the live"
			. ' nginx') if $name =~ $DIFFER;
		push @names, @{$from{$name} || []};
	}
}

###############################################################################

1;
