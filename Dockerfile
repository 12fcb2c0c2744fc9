# The app on port 8501, on the shipped model, with no network at run time.
FROM python:3.11-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -r requirements.txt
COPY . .
RUN pip install --no-cache-dir --no-deps . && useradd --create-home explain
USER explain
ENV HF_HUB_OFFLINE=1
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8501/ready', timeout=4)"]
# Open to whoever reaches the container; visitors choose among the shipped models and EXPLAIN_MODELS only.
CMD ["explain", "serve", "--host", "0.0.0.0"]
