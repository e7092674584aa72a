# Two images: `service`, the API, and `worker`, the trainers, which is also a base for your own.
#
#   docker build --target service --tag trimtab-service .
#   docker build --target worker --tag trimtab-worker .
#
# What changes rarely comes first: a change of the code installs no package again.

FROM python:3.13-slim AS base
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PYTHONUNBUFFERED=1
# The folders that volumes are mounted on: a new volume takes the owner of the folder below it.
RUN groupadd --gid 10001 trimtab \
 && useradd --uid 10001 --gid 10001 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin trimtab \
 && cd / && install --directory --owner trimtab --group trimtab --mode 0700 artifacts \
    secrets/api secrets/owner secrets/reader secrets/service secrets/worker \
 && install --directory --owner trimtab --group trimtab --mode 0750 secrets/administrator
WORKDIR /opt/trimtab
COPY constraints.txt ./

# The names of what each image installs, apart from pyproject.toml, whose other lines change more often.
FROM base AS names
COPY pyproject.toml ./
RUN python -c "import pathlib, tomllib; \
project = tomllib.loads(pathlib.Path('pyproject.toml').read_text())['project']; \
[pathlib.Path(f'{extra}.txt').write_text('\n'.join(project['dependencies'] + names)) \
 for extra, names in project['optional-dependencies'].items()]"

FROM base AS wheel
COPY pyproject.toml README.md LICENSE ./
COPY trimtab trimtab
RUN pip wheel --no-deps --wheel-dir /wheels .

FROM base AS service
# Libraries of linear algebra start a thread for each processor; a container may have fewer processes than that.
ENV OPENBLAS_NUM_THREADS=1
# Of torch, for Gaussian processes, only builds without CUDA are of use here: see TORCH_INDEX below.
ARG TORCH_INDEX=
RUN pip install --constraint constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch
COPY --from=names /opt/trimtab/service.txt /opt/trimtab/dashboard.txt /opt/trimtab/gp.txt /opt/trimtab/fanova.txt ./
RUN pip install --constraint constraints.txt --requirement service.txt --requirement dashboard.txt \
 --requirement gp.txt --requirement fanova.txt
COPY --from=wheel /wheels /wheels
RUN pip install --no-deps /wheels/*.whl
COPY pyproject.toml ./
COPY deploy/compose deploy/compose
COPY migrations migrations
COPY service service
USER trimtab
EXPOSE 8000
ENTRYPOINT ["python", "-m", "service"]

FROM base AS worker
# An index with other builds of torch, such as those without CUDA, which are a tenth of the size.
ARG TORCH_INDEX=
RUN pip install --constraint constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch
COPY --from=names /opt/trimtab/workers.txt ./
RUN pip install --constraint constraints.txt --requirement workers.txt
COPY --from=wheel /wheels /wheels
RUN pip install --no-deps /wheels/*.whl
COPY workers workers
# A user's image may work in another folder.
ENV PYTHONPATH=/opt/trimtab
USER trimtab
ENTRYPOINT ["python", "-m", "workers"]
CMD ["--slots", "1"]
