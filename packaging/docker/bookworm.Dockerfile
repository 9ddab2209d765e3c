# The image nginx:bookworm with the module, in the source's folder:
#
#     docker build -f packaging/docker/bookworm.Dockerfile -t nginx-webhook .
#
# and at the top of its nginx.conf
#
#     load_module  modules/ngx_http_webhook_module.so;
#
# There was no docker daemon where this was written: its syntax was checked, it
# has not been run.  A module that was built by these commands, of nginx 1.31.5,
# was tested there.

FROM nginx:bookworm AS build

RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates curl gcc libc6-dev libpcre2-dev libssl-dev libyajl-dev \
        make zlib1g-dev

# the image says its version of nginx, of which the module must be

RUN curl -fsS "https://nginx.org/download/nginx-$NGINX_VERSION.tar.gz" \
    | tar -xz && mv "nginx-$NGINX_VERSION" nginx

COPY . /webhook

RUN cd nginx \
    && ./configure --with-compat --with-threads --with-http_ssl_module \
        --with-http_v2_module --add-dynamic-module=/webhook \
    && make -j"$(nproc)" modules


FROM nginx:bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends libyajl2 \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -m 700 /etc/nginx/secrets /var/lib/nginx-webhook

COPY --from=build /nginx/objs/ngx_http_webhook_module.so \
    /usr/lib/nginx/modules/
